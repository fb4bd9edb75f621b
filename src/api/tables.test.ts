import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError } from '../common/index.ts';
import { CreateContainerBody, UpdateContainerBody } from '../wire/index.ts';
import * as compatibility from './compatibility.ts';
import { Query } from './query.ts';
import { Router, route } from './router.ts';
import { parseVersion } from './version.ts';

describe('query parameters', () => {
  it('reads booleans as moby does: all but a few words say yes', () => {
    for (const text of ['1', 'true', 'True', 'yes', 'x']) assert.equal(new Query(`a=${text}`).bool('a'), true, text);
    for (const text of ['', '0', 'false', 'no', 'none', ' FALSE '])
      assert.equal(new Query(`a=${text}`).bool('a', true), false, text);
    assert.equal(new Query('').bool('a', true), true);
  });
  it('reads whole numbers only', () => {
    assert.equal(new Query('t=-1').int('t'), -1);
    assert.equal(new Query('t=').int('t'), undefined);
    assert.throws(() => new Query('t=abc').int('t'), /strconv\.Atoi: parsing "abc": invalid syntax/);
    assert.throws(() => new Query('a=%zz'), /^EngineError: invalid URL escape "%zz"$/);
    assert.throws(() => new Query('a=1;b=2'), /invalid semicolon separator in query/);
    assert.equal(new Query('a=%7b%22').text('a'), '{"');
  });
  it('gives parameters that come several times as lists', () => {
    assert.deepEqual(new Query('t=a&t=b&q=1').entries(), { t: ['a', 'b'], q: '1' });
  });
});

describe('routes', () => {
  const router = new Router([
    route('GET', '/images/json', () => {}),
    route('GET', '/images/{name...}/json', () => {}),
    route('GET', '/exec/{name}/json', () => {}),
  ]);
  it('takes names with slashes where a pattern says so, and only there', () => {
    assert.deepEqual(router.find('GET', '/v1.24/images/a/b/json')?.params, { name: 'a/b' });
    assert.equal(router.find('GET', '/exec/a/b/json'), undefined);
  });
  it('prefers what stands first, and tells the version of the path', () => {
    assert.deepEqual(router.find('GET', '/v1.44/images/json')?.params, {});
    assert.equal(router.find('GET', '/v1.44/images/json')?.version, '1.44');
    assert.equal(router.find('GET', '/images/json')?.version, undefined);
    assert.equal(router.find('POST', '/images/json'), undefined);
  });
});

describe('versions', () => {
  it('is the newest without a prefix, and compares as numbers', () => {
    assert.equal(parseVersion(undefined), 51);
    assert.equal(parseVersion('1.24'), 24);
    for (const text of ['1.52', '2.0', '1.100']) assert.throws(() => parseVersion(text), /too new/);
    for (const text of ['1.9', '1.23', '0.5']) assert.throws(() => parseVersion(text), /too old/);
  });
});

describe('older clients', () => {
  const body = (value: unknown) => CreateContainerBody.parse(value);
  it('get the defaults of their time', () => {
    assert.equal(compatibility.createBody(body({}), 39).HostConfig?.IpcMode, 'shareable');
    assert.equal(compatibility.createBody(body({}), 40).HostConfig?.CgroupnsMode, 'host');
    assert.equal(compatibility.createBody(body({}), 41).HostConfig?.CgroupnsMode, undefined);
  });
  it('may not ask for several networks at a create, nor for what their version lacks', () => {
    const networks = { NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } };
    assert.throws(() => compatibility.createBody(body(networks), 43), EngineError);
    assert.doesNotThrow(() => compatibility.createBody(body(networks), 44));
    const subpath = { HostConfig: { Mounts: [{ Type: 'volume', Target: '/a', VolumeOptions: { Subpath: 'x' } }] } };
    assert.throws(() => compatibility.createBody(body(subpath), 44), /VolumeOptions\.Subpath needs API v1\.45/);
    const image = { HostConfig: { Mounts: [{ Type: 'image', Target: '/a', Source: 'x' }] } };
    assert.throws(() => compatibility.createBody(body(image), 47), /Mount type "Image" needs API v1\.48/);
    const bind = () =>
      body({
        HostConfig: { ConsoleSize: [1, 2], Mounts: [{ Type: 'bind', BindOptions: { CreateMountpoint: true } }] },
      });
    const seen = ({ HostConfig: host }: CreateContainerBody) => [
      host?.ConsoleSize,
      host?.Mounts?.[0]?.BindOptions?.CreateMountpoint,
    ];
    assert.deepEqual(seen(compatibility.createBody(bind(), 41)), [undefined, undefined]);
    assert.deepEqual(seen(compatibility.createBody(bind(), 42)), [[1, 2], true]);
    assert.equal(compatibility.createBody(body({ Runtime: 'runc' }), 51).HostConfig?.Runtime, 'runc');
  });
  it('are not told that a field is deprecated which was not in their time', () => {
    const mac = body({ MacAddress: '02:00:00:00:00:01' });
    assert.deepEqual(compatibility.createWarnings(mac, 43), []);
    assert.match(compatibility.createWarnings(mac, 44)[0] ?? '', /MacAddress field is now deprecated/);
    assert.deepEqual(compatibility.createWarnings(body({}), 51), []);
    const memory = UpdateContainerBody.parse({ KernelMemory: 1 });
    assert.equal(compatibility.updateBody(memory, 41).KernelMemory, 1);
    assert.equal(compatibility.updateBody(memory, 42).KernelMemory, undefined);
    const pids = UpdateContainerBody.parse({ PidsLimit: 16 });
    assert.equal(compatibility.updateBody(pids, 39).PidsLimit, undefined);
    assert.equal(compatibility.updateBody(pids, 40).PidsLimit, 16);
  });
  it('find the fields that they read', () => {
    const image = { Size: 5, RepoTags: [], RepoDigests: [], Config: { Cmd: ['a'] } };
    assert.equal(compatibility.imageSummary(image, 43).VirtualSize, 5);
    assert.equal('VirtualSize' in compatibility.imageSummary(image, 44), false);
    assert.deepEqual(compatibility.imageSummary(image, 40).RepoTags, ['<none>:<none>']);
    assert.equal(compatibility.listedImage({ ...image, Containers: 3 }, 50).Containers, -1);
    assert.equal(compatibility.listedImage({ ...image, Containers: 3 }, 51).Containers, 3);
    assert.equal(compatibility.imageInspect(image, 43).VirtualSize, 5);
    assert.deepEqual(compatibility.info({ SecurityOptions: ['name=seccomp,profile=builtin'] }, 24).SecurityOptions, [
      'seccomp',
    ]);
  });
  it('see the short id among the aliases of user-defined networks', () => {
    const answer = {
      Id: 'abcdefabcdef0000',
      Config: { Hostname: 'h' },
      NetworkSettings: { Networks: { bridge: { Aliases: null }, mine: { Aliases: ['x'] } } },
    };
    const networks = (version: number) =>
      (
        compatibility.containerInspect(answer, version).NetworkSettings as {
          Networks: Record<string, { Aliases: string[] | null }>;
        }
      ).Networks;
    assert.deepEqual(networks(44).mine?.Aliases, ['x', 'abcdefabcdef', 'h']);
    assert.equal(networks(44).bridge?.Aliases, null);
    assert.deepEqual(networks(45).mine?.Aliases, ['x']);
  });
});
