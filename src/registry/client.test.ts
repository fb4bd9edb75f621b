import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { FakeRegistry, sha256 } from '../../test/support/fake-registry.ts';
import { isKind, silentLogger } from '../common/index.ts';
import type { RegistryAuth } from '../wire/index.ts';
import { DOCKER, openRegistries, type RegistryConfig, type Repository } from './index.ts';

const USER = { name: 'someone', password: 'hush-hush' };
const AUTH: RegistryAuth = { username: USER.name, password: USER.password };
const signal = new AbortController().signal;

async function withRepository<T>(
  registry: FakeRegistry,
  work: (repository: Repository) => Promise<T>,
  options: { auth?: RegistryAuth; purpose?: 'pull' | 'push'; config?: Partial<RegistryConfig>; domain?: string } = {},
): Promise<T> {
  const registries = openRegistries(
    { insecure: [], mirrors: [], certDirs: [], proxies: {}, ...options.config },
    silentLogger,
  );
  try {
    const { auth, purpose = 'push', domain = registry.host } = options;
    return await registries.with({ domain, path: 'team/app' }, { auth, purpose, signal }, work);
  } finally {
    await registries.close();
  }
}

const sourceOf = (bytes: Buffer) => ({
  digest: sha256(bytes),
  size: bytes.length,
  open: async (start: number, end: number) => Readable.from([bytes.subarray(start, end)], { objectMode: false }),
});

async function read(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a token that ended in mid-transfer is fetched anew', async () => {
  await using registry = await FakeRegistry.start({ auth: 'token', user: USER });
  const bytes = randomBytes(1000);
  registry.addBlob('team/app', bytes);
  await withRepository(
    registry,
    async (repository) => {
      await read((await repository.blob(sha256(bytes), 0, signal)).stream);
      registry.expireTokens();
      const rest = await repository.blob(sha256(bytes), 400, signal);
      assert.deepEqual(await read(rest.stream), bytes.subarray(400));
    },
    { auth: AUTH },
  );
  assert.equal(registry.count(/^GET \/token/), 2);
});

test('one token serves all calls of a scope, also those side by side', async () => {
  await using registry = await FakeRegistry.start({ auth: 'token', user: USER });
  registry.addBlob('team/app', Buffer.from('x'));
  await withRepository(
    registry,
    async (repository) => {
      await repository.hasBlob(sha256('x'), signal);
      await Promise.all(Array.from({ length: 8 }, () => repository.hasBlob(sha256('x'), signal)));
    },
    { auth: AUTH },
  );
  assert.equal(registry.count(/^GET \/token/), 1);
});

test('an identity token is exchanged by POST', async () => {
  await using registry = await FakeRegistry.start({ auth: 'token', user: USER });
  registry.identityTokens.add('long-lived');
  registry.addBlob('team/app', Buffer.from('x'));
  assert.equal(
    await withRepository(registry, (repository) => repository.hasBlob(sha256('x'), signal), {
      auth: { identitytoken: 'long-lived' },
    }),
    true,
  );
  assert.equal(registry.count(/^POST \/token/), 1);
});

test('an anonymous user may pull what is public and not push', async () => {
  await using registry = await FakeRegistry.start({ auth: 'token', user: USER, anonymousPull: true });
  registry.addManifest('team/app', 'v1', DOCKER.manifest, { schemaVersion: 2, mediaType: DOCKER.manifest });
  await withRepository(registry, (repository) => repository.manifest('v1', signal), { purpose: 'pull' });
  await assert.rejects(
    withRepository(registry, (repository) => repository.upload(sourceOf(Buffer.from('y')), signal)),
    { message: 'denied: requested access to the resource is denied' },
  );
});

test("wrong and missing credentials are told in Docker's words, without the secret", async () => {
  await using basic = await FakeRegistry.start({ auth: 'basic', user: USER });
  const pull = (auth?: RegistryAuth) =>
    withRepository(basic, (repository) => repository.manifest('v1', signal), { auth });
  await assert.rejects(pull(), {
    message: `Get "http://${basic.host}/v2/team/app/manifests/v1": no basic auth credentials`,
  });
  await assert.rejects(pull({ username: 'someone', password: 'wrong-secret' }), (error: Error) => {
    assert.equal(error.message, 'unauthorized: authentication required');
    assert.ok(isKind(error, 'unauthorized'));
    return !JSON.stringify(error).includes('wrong-secret');
  });
  await using token = await FakeRegistry.start({ auth: 'token', user: USER });
  await assert.rejects(
    withRepository(token, (repository) => repository.manifest('v1', signal), {
      auth: { username: 'someone', password: 'wrong-secret' },
    }),
    /^EngineError: Get "http:\/\/127\.0\.0\.1:\d+\/v2\/team\/app\/manifests\/v1": unauthorized: incorrect username or password$/,
  );
});

test('what is temporary is tried again, what is not is not', async () => {
  await using registry = await FakeRegistry.start();
  registry.addManifest('team/app', 'v1', DOCKER.manifest, { schemaVersion: 2, mediaType: DOCKER.manifest });
  const faults = [
    'reset',
    { status: 503, headers: { 'retry-after': '0' } },
    { status: 429, headers: { 'retry-after': '0' } },
  ] as const;
  let at = 0;
  registry.fault = ({ path }) => (path.includes('/manifests/') ? faults[at++] : undefined);
  await withRepository(registry, (repository) => repository.manifest('v1', signal));
  assert.equal(registry.count(/manifests/), 4);
  registry.fault = ({ path }) => (path.includes('/manifests/') ? { status: 400, body: 'no' } : undefined);
  await assert.rejects(
    withRepository(registry, (repository) => repository.manifest('v1', signal)),
    /error parsing HTTP 400 response body/,
  );
  assert.equal(registry.count(/manifests/), 5);
  registry.fault = ({ path }) =>
    path.includes('/manifests/') ? { status: 500, headers: { 'retry-after': '0' } } : undefined;
  await assert.rejects(
    withRepository(registry, (repository) => repository.manifest('v1', signal), { config: { attempts: 2 } }),
    {
      message: 'received unexpected HTTP status: 500 Internal Server Error',
    },
  );
});

test('credentials stay with the registry when a blob is elsewhere', async () => {
  await using storage = await FakeRegistry.start();
  await using registry = await FakeRegistry.start({ auth: 'basic', user: USER });
  const bytes = randomBytes(100);
  storage.addBlob('else/where', bytes);
  registry.fault = ({ path }) =>
    path.includes('/blobs/')
      ? { status: 307, headers: { location: `${storage.url}/v2/else/where/blobs/${sha256(bytes)}?signature=hidden` } }
      : undefined;
  const body = await withRepository(
    registry,
    async (repository) => read((await repository.blob(sha256(bytes), 10, signal)).stream),
    { auth: AUTH },
  );
  assert.deepEqual(body, bytes.subarray(10));
  const [seen] = storage.requests.filter(({ path }) => path.includes('/blobs/'));
  assert.equal(seen?.headers.authorization, undefined);
  assert.equal(seen?.headers.range, 'bytes=10-');
});

test('an upload that breaks off goes on where the registry is', async () => {
  await using registry = await FakeRegistry.start();
  const bytes = randomBytes(3_000_000);
  let patches = 0;
  registry.fault = ({ method }) => (method === 'PATCH' && patches++ === 0 ? { status: 503 } : undefined);
  await withRepository(registry, (repository) => repository.upload(sourceOf(bytes), signal));
  assert.deepEqual(registry.blobs.get(sha256(bytes)), bytes);
  assert.equal(patches, 2);
});

test('a registry that takes no large requests gets chunks', async () => {
  await using registry = await FakeRegistry.start();
  const bytes = randomBytes(20_000_000);
  registry.fault = ({ method, headers }) =>
    method === 'PATCH' && Number(headers['content-length']) > 9_000_000 ? { status: 413 } : undefined;
  await withRepository(registry, (repository) => repository.upload(sourceOf(bytes), signal));
  assert.equal(sha256(registry.blobs.get(sha256(bytes)) ?? Buffer.alloc(0)), sha256(bytes));
  assert.equal(registry.count(/^PATCH/), 4);
});

test('a blob is mounted from the first repository that has it', async () => {
  await using registry = await FakeRegistry.start({ auth: 'token', user: USER });
  const { digest } = registry.addBlob('other/b', Buffer.from('shared'));
  const from = await withRepository(
    registry,
    (repository) => repository.mount(digest, ['other/a', 'other/b'], signal),
    { auth: AUTH },
  );
  assert.equal(from, 'other/b');
  assert.ok(registry.owners.get(digest)?.has('team/app'));
  assert.equal(
    await withRepository(registry, (repository) => repository.mount(sha256('none'), ['other/a'], signal), {
      auth: AUTH,
    }),
    undefined,
  );
});

test('a manifest that is too large, of a wrong type or digest is refused', async () => {
  await using registry = await FakeRegistry.start();
  const get = (reference: string) => withRepository(registry, (repository) => repository.manifest(reference, signal));
  registry.addManifest('team/app', 'large', DOCKER.manifest, Buffer.alloc(4 * 1024 * 1024 + 1, ' '));
  await assert.rejects(get('large'), /manifest of 4194305 bytes is larger than the 4194304 bytes allowed/);
  registry.addManifest('team/app', 'page', 'text/html', Buffer.from('{}'));
  await assert.rejects(get('page'), /unsupported manifest media type and no default available: text\/html/);
  registry.addManifest('team/app', 'liar', DOCKER.manifest, { schemaVersion: 2, mediaType: DOCKER.list });
  await assert.rejects(get('liar'), /manifest says media type|unsupported manifest media type/);
  registry.addManifest('team/app', 'old', 'application/vnd.docker.distribution.manifest.v1+prettyjws', {
    schemaVersion: 1,
  });
  await assert.rejects(get('old'), /schema 1 support has been removed/);
  const digest = sha256('something else');
  registry.manifests.set(`team/app@${digest}`, { mediaType: DOCKER.manifest, bytes: Buffer.from('{}') });
  await assert.rejects(get(digest), { message: `manifest verification failed for digest ${digest}` });
});

test("a mirror is asked first for the Hub's images, and passed over when it fails", async () => {
  await using mirror = await FakeRegistry.start();
  await using second = await FakeRegistry.start();
  second.addManifest('team/app', 'v1', DOCKER.manifest, { schemaVersion: 2, mediaType: DOCKER.manifest });
  const config = { mirrors: [mirror.url, second.url] };
  const found = await withRepository(mirror, (repository) => repository.manifest('v1', signal), {
    domain: 'docker.io',
    purpose: 'pull',
    config,
    auth: AUTH,
  });
  assert.equal(found.mediaType, DOCKER.manifest);
  assert.equal(mirror.count(/manifests/), 1);
  assert.ok(second.requests.every(({ headers }) => headers.authorization === undefined));
});

test('a registry that is not there is told as Go tells it', async () => {
  const registry = await FakeRegistry.start();
  const { host } = registry;
  await registry[Symbol.asyncDispose]();
  const registries = openRegistries({ insecure: [], mirrors: [], certDirs: [], proxies: {} }, silentLogger);
  await assert.rejects(
    registries.with({ domain: host, path: 'x' }, { auth: undefined, purpose: 'pull', signal }, async () => {}),
    { message: `Get "http://${host}/v2/": dial tcp ${host}: connect: connection refused` },
  );
  await registries.close();
});

test("search asks the Hub's form and, where there is none, the catalogue", async () => {
  await using hub = await FakeRegistry.start({
    search: { results: [{ name: 'team/app', description: 'An app', star_count: 3, is_official: false }] },
  });
  await using plain = await FakeRegistry.start();
  plain.addManifest('team/app', 'v1', DOCKER.manifest, {});
  plain.addManifest('team/other', 'v1', DOCKER.manifest, {});
  const registries = openRegistries({ insecure: [], mirrors: [], certDirs: [], proxies: {} }, silentLogger);
  const search = (term: string) => registries.search({ term, limit: 25, auth: undefined, signal });
  assert.deepEqual(await search(`${hub.host}/app`), [
    { name: 'team/app', description: 'An app', star_count: 3, is_official: false, is_automated: false },
  ]);
  const [row, ...more] = await search(`${plain.host}/app`);
  assert.equal(row?.name, `${plain.host}/team/app`);
  assert.match(row?.description ?? '', /catalogue/);
  assert.deepEqual(more, []);
  await registries.close();
});

test('login proves credentials and brings an identity token', async () => {
  await using registry = await FakeRegistry.start({ auth: 'token', user: USER });
  const registries = openRegistries({ insecure: [], mirrors: [], certDirs: [], proxies: {} }, silentLogger);
  const { identity } = await registries.login({ ...AUTH, serveraddress: registry.host }, signal);
  assert.ok(registry.identityTokens.has(identity ?? ''));
  await assert.rejects(
    registries.login({ username: 'someone', password: 'bad', serveraddress: registry.host }, signal),
    /unauthorized: incorrect username or password/,
  );
  await using basic = await FakeRegistry.start({ auth: 'basic', user: USER });
  await registries.login({ ...AUTH, serveraddress: basic.url }, signal);
  await assert.rejects(registries.login({ username: 'someone', password: 'bad', serveraddress: basic.host }, signal), {
    message: `login attempt to http://${basic.host}/v2/ failed with status: 401 Unauthorized`,
  });
  await registries.close();
});
