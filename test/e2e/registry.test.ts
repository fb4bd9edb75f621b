import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { silentLogger } from '../../src/common/index.ts';
import { openRegistries, type Registries, type RegistryConfig } from '../../src/registry/index.ts';
import {
  CraftedRegistry,
  DockerRegistry,
  digestOf,
  eventually,
  hasDockerRegistry,
  TestDaemon,
  TYPES,
  tarOf,
  USER,
} from '../support/index.ts';

const signal = new AbortController().signal;

async function clientOf(config: Partial<RegistryConfig>, work: (client: Registries) => Promise<void>): Promise<void> {
  const client = openRegistries({ insecure: [], mirrors: [], certDirs: [], proxies: {}, ...config }, silentLogger);
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

describe('the registry client against docker-registry', { skip: !hasDockerRegistry }, () => {
  const source = (bytes: Buffer) => ({
    digest: digestOf(bytes),
    size: bytes.length,
    open: async (start: number, end: number) => Readable.from([bytes.subarray(start, end)]),
  });

  test('an authority in certs.d is what a TLS registry is verified by', async () => {
    await using registry = await DockerRegistry.start({ tls: true });
    const dir = mkdtempSync(join(tmpdir(), 'gt-certs-'));
    try {
      const at = { domain: registry.host, path: 'a/b' };
      const own = join(dir, registry.host);
      mkdirSync(own);
      writeFileSync(join(own, 'ca.crt'), registry.authority ?? '');
      await clientOf({ certDirs: [dir] }, async (client) => {
        const bytes = randomBytes(1000);
        await client.with(at, { auth: undefined, purpose: 'push', signal }, async (repository) => {
          assert.match(repository.endpoint.url, /^https:/);
          await repository.upload(source(bytes), signal);
          assert.equal(await repository.hasBlob(digestOf(bytes), signal), true);
        });
      });
      await using other = await DockerRegistry.start({ tls: true });
      writeFileSync(join(own, 'ca.crt'), other.authority ?? '');
      await clientOf({ certDirs: [dir], attempts: 1 }, (client) =>
        assert.rejects(
          client.with(at, { auth: undefined, purpose: 'pull', signal }, (repository) => repository.tags(signal)),
        ),
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test('a token server gives what anonymous users and users may do, and tokens are used again', async () => {
    await using registry = await DockerRegistry.start({ auth: 'token' });
    const given = registry.tokens?.given ?? [];
    const at = { domain: registry.host, path: 'team/app' };
    await clientOf({}, async (client) => {
      const large = randomBytes(1_500_000);
      await client.with(at, { auth: USER, purpose: 'push', signal }, async (repository) => {
        await repository.upload(source(large), signal);
        await repository.upload(source(randomBytes(10)), signal);
      });
      assert.deepEqual(given, [['repository:team/app:pull,push']]);
      await client.with(at, { auth: undefined, purpose: 'pull', signal }, async (repository) => {
        const body = await repository.blob(digestOf(large), 1_000_000, signal);
        assert.equal(body.offset, 1_000_000);
        assert.ok(Buffer.concat(await Array.fromAsync(body.stream)).equals(large.subarray(1_000_000)));
      });
      const other = { domain: registry.host, path: 'team/other' };
      await client.with(other, { auth: USER, purpose: 'push', signal }, async (repository) => {
        assert.equal(await repository.mount(digestOf(large), ['team/nothing', 'team/app'], signal), 'team/app');
      });
      await assert.rejects(
        client.with(other, { auth: undefined, purpose: 'push', signal }, (repository) =>
          repository.upload(source(randomBytes(10)), signal),
        ),
      );
      assert.deepEqual(await client.login({ ...USER, serveraddress: registry.host }, signal), {
        identity: 'identity-of-tests',
      });
      await assert.rejects(client.login({ ...USER, password: 'no', serveraddress: registry.host }, signal), {
        message: /unauthorized: incorrect username or password/,
      });
    });
  });
});

describe('a daemon and registries', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
  });

  const header = (auth: object) => ({ 'X-Registry-Auth': Buffer.from(JSON.stringify(auth)).toString('base64url') });
  /** Statuses and errors of a stream of messages, without bars. */
  async function stream(method: string, path: string, headers: Record<string, string> = {}): Promise<string[]> {
    const { text } = await daemon.api(method, path, undefined, headers);
    const said: string[] = [];
    for (const line of text.split(/\r?\n/).filter((part) => part !== '')) {
      const { status, id, error, message, progressDetail } = JSON.parse(line);
      if (progressDetail?.total !== undefined) continue;
      const shown = error ?? message ?? status;
      if (shown !== undefined) said.push(id === undefined ? shown : `${id}: ${shown}`);
    }
    return said;
  }
  const pull = (name: string, tag = 'latest', more = '', headers = {}) =>
    stream(
      'POST',
      `/images/create?fromImage=${encodeURIComponent(name)}&tag=${encodeURIComponent(tag)}${more}`,
      headers,
    );
  const push = (name: string, tag: string, headers = header({})) =>
    stream('POST', `/images/${name}/push?tag=${tag}`, headers);
  const tag = async (source: string, repo: string, name: string) =>
    assert.equal((await daemon.api('POST', `/images/${source}/tag?repo=${repo}&tag=${name}`)).status, 201);
  const remove = (name: string) => daemon.api('DELETE', `/images/${encodeURIComponent(name)}?force=1`);
  const inspect = async (name: string) => (await daemon.api('GET', `/images/${name}/json`)).json;
  const short = (digest: string) => digest.slice('sha256:'.length, 'sha256:'.length + 12);

  test('push, pull by tag, by digest and all tags keep every byte', { skip: !hasDockerRegistry }, async () => {
    await using registry = await DockerRegistry.start();
    const name = `${registry.host}/team/box`;
    await tag('busybox', name, 'one');
    await tag('busybox', name, 'two');
    const { Id } = await inspect('busybox');
    const pushed = await push(name, 'one');
    const digest = /^one: digest: (sha256:[0-9a-f]{64}) size: \d+$/.exec(pushed.at(-1) ?? '')?.[1] ?? '';
    assert.equal(pushed[0], `The push refers to repository [${name}]`);
    assert.match(pushed.at(-2) ?? '', /^[0-9a-f]{12}: Pushed$/);
    assert.match(pushed.at(-1) ?? '', /^one: digest: sha256:/);
    const again = await push(name, 'two');
    assert.match(again.at(-2) ?? '', /Layer already exists$/);
    assert.match(again.at(-1) ?? '', new RegExp(`^two: digest: ${digest}`));
    await tag('busybox', `${registry.host}/team/other`, 'latest');
    assert.match((await push(`${registry.host}/team/other`, 'latest')).at(-2) ?? '', /Mounted from team\/box$/);

    const removeAll = async () => {
      for (const known of (await inspect(Id)).RepoTags) if (known.startsWith(registry.host)) await remove(known);
    };
    await removeAll();
    assert.deepEqual((await pull(name, 'one')).slice(-2), [
      `Digest: ${digest}`,
      `Status: Downloaded newer image for ${name}:one`,
    ]);
    assert.deepEqual(await pull(name, 'one'), [
      'one: Pulling from team/box',
      `Digest: ${digest}`,
      `Status: Image is up to date for ${name}:one`,
    ]);
    assert.equal((await inspect(`${name}:one`)).Id, Id);
    await remove(`${name}:one`);
    const byDigest = await pull(name, digest);
    assert.deepEqual(byDigest.slice(-2), [`Digest: ${digest}`, `Status: Downloaded newer image for ${name}@${digest}`]);
    assert.equal(byDigest[0], `${name}@${digest}: Pulling from team/box`);
    assert.deepEqual((await inspect(`${name}@${digest}`)).RepoDigests, [`${name}@${digest}`]);

    assert.equal(await daemon.ok('pull', '-a', '-q', name), name);
    assert.deepEqual(
      (await inspect(Id)).RepoTags.filter((known: string) => known.startsWith(name)),
      [`${name}:one`, `${name}:two`],
    );
    assert.match(
      (await pull(name, 'none')).join('\n'),
      /manifest for .*team\/box:none not found: manifest unknown: manifest unknown/,
    );
    assert.match((await push(name, 'none')).join('\n'), /^tag does not exist: .*team\/box:none$/m);

    const about = await daemon.api('GET', `/distribution/${name}:one/json`, undefined, header({}));
    assert.equal(about.json.Descriptor.digest, digest);
    assert.deepEqual(about.json.Platforms, [{ architecture: 'amd64', os: 'linux' }]);
    const found = await daemon.api('GET', `/images/search?term=${registry.host}/box`);
    assert.deepEqual(
      found.json.map((row: { name: string }) => row.name),
      [`${registry.host}/team/box`],
    );
    await removeAll();
  });

  test('credentials are proved by login and needed for push', { skip: !hasDockerRegistry }, async () => {
    await using registry = await DockerRegistry.start({ auth: 'basic' });
    const name = `${registry.host}/private/box`;
    const login = (password: string) =>
      daemon.gantry(['login', '-u', USER.username, '--password-stdin', registry.host], { input: password });
    const bad = await login('wrong');
    assert.notEqual(bad.code, 0);
    assert.doesNotMatch(bad.stderr + bad.stdout, /wrong/);
    const good = await login(USER.password);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /Login Succeeded/);
    assert.match(good.stderr, /stored unencrypted/);
    assert.doesNotMatch((await login(USER.password)).stderr, /stored unencrypted/, 'they were there before');
    const again = await daemon.gantry(['login', registry.host]);
    assert.match(again.stderr, /^Authenticating with existing credentials\.\.\. \[Username: someone\]/);
    assert.equal(again.stdout, 'Login Succeeded\n');
    await tag('busybox', name, 'latest');
    assert.match(await daemon.ok('push', name), /latest: digest: sha256:/);
    assert.match(await daemon.ok('logout', registry.host), /Removing login credentials/);
    const refused = await daemon.gantry(['push', name]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /no basic auth credentials/);
    assert.match((await pull(name)).join('\n'), /no basic auth credentials/);
    await remove(`${name}:latest`);
  });

  /** Digests of blobs and the number of layers on disk. */
  async function kept(): Promise<{ blobs: string[]; layers: number }> {
    const files = (dir: string) => readdirSync(join(daemon.dataRoot, dir)).sort();
    return { blobs: files('content/blobs/sha256'), layers: files('layers').length };
  }

  test('a download that breaks off goes on where it was', async () => {
    await using registry = await CraftedRegistry.start();
    const tar = await tarOf({ large: randomBytes(600_000) });
    const { id, layers } = registry.addImage('r/broken:latest', [tar]);
    const [layer] = layers;
    let broken = 0;
    registry.intercept = (request, response, bytes) => {
      if (!request.url?.endsWith(layer!.digest) || bytes === undefined || broken > 0) return false;
      broken++;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 300_000), () => setTimeout(() => response.destroy(), 200));
      return true;
    };
    const name = `${registry.host}/r/broken`;
    assert.match((await pull(name)).at(-1) ?? '', /^Status: Downloaded newer image/);
    const ranges = registry.asked.filter((line) => line.includes(`${layer!.digest} bytes=`));
    assert.equal(ranges.length, 1);
    assert.match(ranges[0]!, /bytes=[1-9]\d*-$/);
    assert.equal((await inspect(name)).Id, id);
    await remove(name);
  });

  test('an index gives the manifest of the platform that is asked for', async () => {
    await using registry = await CraftedRegistry.start();
    const images = await Promise.all(
      ['amd64', 'arm64'].map(async (architecture) => {
        const image = registry.addImage(`r/multi:${architecture}`, [await tarOf({ arch: architecture })], {
          architecture,
        });
        return { ...image, entry: { ...image.manifest, platform: { os: 'linux', architecture } } };
      }),
    );
    const manifests = images.map(({ entry }) => entry);
    const index = registry.addManifest(
      'r/multi:latest',
      { schemaVersion: 2, mediaType: TYPES.index, manifests },
      TYPES.index,
    );
    const name = `${registry.host}/r/multi`;
    await pull(name);
    assert.equal((await inspect(name)).Id, images[0]!.id);
    assert.deepEqual((await inspect(name)).RepoDigests, [`${name}@${index.digest}`]);
    await pull(name, 'latest', '&platform=linux/arm64/v8');
    assert.equal((await inspect(name)).Id, images[1]!.id);
    assert.match(
      (await pull(name, 'latest', '&platform=linux/s390x')).join('\n'),
      /no matching manifest for linux\/s390x in the manifest list entries/,
    );
    for (const { id } of images) await remove(id);
  });

  test('what lies about its digest, size or kind is refused, and nothing of it stays', async () => {
    await using registry = await CraftedRegistry.start();
    const tar = await tarOf({ file: randomBytes(5000) });
    const other = await tarOf({ file: 'another' });
    registry.addImage('r/size:latest', [tar], { spoil: ([layer]) => (layer!.size += 10) });
    registry.addImage('r/short:latest', [tar], { spoil: ([layer]) => (layer!.size -= 10) });
    registry.addImage('r/kind:latest', [tar], {
      spoil: ([layer]) => (layer!.mediaType = 'application/vnd.example.thing'),
    });
    registry.addImage('r/chart:latest', [tar], {
      spoil: (_, config) => (config.mediaType = 'application/vnd.cncf.helm.config.v1+json'),
    });
    const digest = registry.addImage('r/digest:latest', [await tarOf({ file: 'third' })]);
    registry.blobs.set(digest.layers[0]!.digest, randomBytes(digest.layers[0]!.size));
    registry.addImage('r/diff:latest', [tar, other], { spoil: (layers) => layers.reverse() });
    registry.manifests.set('r/html:latest', { bytes: Buffer.from('<html>'), mediaType: 'text/html' });
    registry.manifests.set('r/huge:latest', { bytes: Buffer.alloc(5 << 20, ' '), mediaType: TYPES.manifest });
    const before = await kept();
    for (const [repository, words] of Object.entries({
      size: /unexpected EOF|bytes/,
      short: /more than the \d+ bytes/,
      kind: /unsupported media type application\/vnd.example.thing/,
      chart: /unsupported media type application\/vnd.cncf.helm.config/,
      digest: /filesystem layer verification failed for digest sha256:/,
      diff: /failed to register layer/,
      html: /JSON|unsupported manifest media type/,
      huge: /manifest of 5242880 bytes is larger/,
    })) {
      assert.match((await pull(`${registry.host}/r/${repository}`)).at(-1) ?? '', words, repository);
      assert.equal((await inspect(`${registry.host}/r/${repository}`)).Id, undefined);
    }
    await daemon.api('POST', '/images/prune');
    await eventually('nothing stays', async () => JSON.stringify(await kept()) === JSON.stringify(before), 20_000);
  });

  test('a collection in mid-pull takes nothing that the pull brought', async () => {
    await using registry = await CraftedRegistry.start();
    const tars = await Promise.all([tarOf({ one: randomBytes(1000) }), tarOf({ two: randomBytes(1000) })]);
    const { id, layers } = registry.addImage('r/slow:latest', tars);
    const asked = Promise.withResolvers<() => void>();
    registry.intercept = (request, response, bytes) => {
      if (!request.url?.endsWith(layers[1]!.digest)) return false;
      asked.resolve(() => response.end(bytes));
      return true;
    };
    const name = `${registry.host}/r/slow`;
    const pulled = pull(name);
    const release = await asked.promise;
    // The first layer is unpacked when the second is still on its way.
    await eventually('the first layer', async () => (await kept()).blobs.includes(layers[0]!.digest.slice(7)), 20_000);
    await tag('busybox', 'for-collection', 'latest');
    await daemon.api('POST', '/images/prune?filters={"dangling":["false"],"label":["nobody"]}');
    await daemon.api('POST', '/images/prune');
    release();
    assert.match((await pulled).at(-1) ?? '', /^Status: Downloaded newer image/);
    assert.equal((await inspect(name)).Id, id);
    assert.equal((await daemon.gantry(['save', name])).code, 0);
    await remove('for-collection');
    await remove(name);
  });

  test('layers that are here already are not fetched', async () => {
    await using registry = await CraftedRegistry.start();
    const shared = await tarOf({ base: 'base' });
    const first = registry.addImage('r/first:latest', [shared]);
    registry.addImage('r/second:latest', [shared, await tarOf({ top: 'top' })]);
    await pull(`${registry.host}/r/first`);
    const said = await pull(`${registry.host}/r/second`);
    assert.ok(said.includes(`${short(first.layers[0]!.digest)}: Already exists`), said.join('\n'));
    assert.equal(
      registry.asked.filter((line) => line.startsWith('GET') && line.includes(first.layers[0]!.digest)).length,
      1,
    );
    await remove(`${registry.host}/r/second`);
    await remove(`${registry.host}/r/first`);
  });
});
