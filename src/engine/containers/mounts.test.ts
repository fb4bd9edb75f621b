import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostConfig, Mount } from '../../wire/index.ts';
import { mountOf } from './host-source.ts';
import { parseBind, parseMount, parseTmpfs, planMounts } from './mounts.ts';

const says = (message: string | RegExp) => ({ message });

describe('a bind specification', () => {
  it('takes one word of a kind', () => {
    assert.equal(parseBind('/a:/d:ro,z,rslave,cached').propagation, 'rslave');
    for (const mode of ['default', 'ro,rw', 'z,Z', 'shared,slave', 'delegated,cached', 'nope', 'ro,ro'])
      assert.throws(() => parseBind(`/a:/d:${mode}`), says(`invalid mode: ${mode}`));
  });
  it('is no specification with a mode where the destination belongs', () => {
    for (const mode of ['ro', 'z,ro', 'cached', 'rshared'])
      assert.throws(() => parseBind(`/d:${mode}`), says(`invalid volume specification: '/d:${mode}'`));
    assert.throws(() => parseBind('/d:ro,rw'), says(/'ro,rw' mount path must be absolute$/));
  });
  it('refuses what belongs to the other kind', () => {
    assert.throws(() => parseBind('vol:/d:shared'), says(/type "volume": field BindOptions must not be specified$/));
    assert.throws(() => parseBind('/a:/d:nocopy'), says(/type "bind": field VolumeOptions must not be specified$/));
  });
});

describe('a mount', () => {
  const mount = (given: Partial<Mount>) => parseMount({ Target: '/d', ...given } as Mount);
  it('of an anonymous volume has no subpath, of others none that leaves', () => {
    const VolumeOptions = { Subpath: 'a' } as Mount['VolumeOptions'];
    assert.throws(() => mount({ Type: 'volume', VolumeOptions }), says(/must not set Subpath when using anonymous/));
    for (const Subpath of ['/a', '..', '../a', 'a/../../b'])
      assert.throws(
        () => mount({ Type: 'volume', Source: 'vv', VolumeOptions: { Subpath } as Mount['VolumeOptions'] }),
        says(/subpath must be a relative path within the volume$/),
      );
    assert.equal(
      mount({ Type: 'volume', Source: 'vv', VolumeOptions: { Subpath: '..a' } as Mount['VolumeOptions'] }).subpath,
      '..a',
    );
  });
});

describe('options of a mount', () => {
  const refused = (given: object, words: string) =>
    assert.throws(
      () => parseMount({ Target: '/m', ...given } as Mount),
      (error: Error) => error.message.endsWith(words),
    );
  it('are refused where they belong to another type, in dockerd’s words', () => {
    refused({ Type: 'bind', VolumeOptions: {} }, 'VolumeOptions must not be specified on mount type "bind"');
    refused({ Type: 'tmpfs', BindOptions: {} }, 'BindOptions must not be specified on mount type "tmpfs"');
    refused({ Type: 'volume', ImageOptions: {} }, 'type "volume": field ImageOptions must not be specified');
    refused({ Type: 'volume', ReadOnly: true }, 'must not set ReadOnly mode when using anonymous volumes');
  });
  it('of a tmpfs are exec and noexec', () => {
    const TmpfsOptions = (...options: string[]) => ({ Type: 'tmpfs', TmpfsOptions: { Options: [options] } });
    refused(TmpfsOptions('uid', '5'), 'invalid option: uid');
    refused(TmpfsOptions('nosuid'), 'invalid option: nosuid');
    refused(TmpfsOptions(), 'invalid option array length');
    assert.equal(parseMount({ Target: '/m', ...TmpfsOptions('exec') } as Mount).tmpfsOptions, 'exec');
  });
});

describe('--tmpfs', () => {
  it('takes the options of a tmpfs only, and not the root', () => {
    assert.equal(parseTmpfs('/t', 'size=1m,mode=700,ro').rw, false);
    assert.throws(() => parseTmpfs('/t', 'nope'), says('invalid tmpfs option "nope"'));
    assert.throws(() => parseTmpfs('/t', 'foo=1'), says('invalid tmpfs option "foo=1"'));
    assert.throws(() => parseTmpfs('/', ''), says("invalid specification: destination can't be '/'"));
  });
});

describe('--volumes-from', () => {
  const plan = (spec: string) =>
    planMounts({
      host: { VolumesFrom: [spec] } as HostConfig,
      volumes: [],
      mountsOf: () => [{ type: 'volume', source: 'vv', destination: '/v', mode: 'z', rw: true, propagation: '' }],
    })[0];
  it('is read-only with ro, whatever stands beside it', () => {
    for (const [mode, rw] of [
      ['', true],
      [':rw', true],
      [':z', true],
      [':ro', false],
      [':ro,z', false],
    ] as const)
      assert.equal(plan(`other${mode}`)?.rw, rw, mode);
  });
  it('refuses other modes', () => {
    for (const mode of ['nope', 'nocopy', 'ro:rw', 'rw,ro', 'shared'])
      assert.throws(() => plan(`other:${mode}`), says(`invalid mode: ${mode}`));
    assert.throws(() => plan(''), says('volumes-from specification cannot be an empty string'));
  });
});

describe('the mount of a path', () => {
  it('is the deepest above it, and of several at one place the last', () => {
    const entry = (id: number, target: string) => ({ id, target }) as Parameters<typeof mountOf>[1][number];
    const entries = [entry(1, '/'), entry(2, '/a'), entry(3, '/a'), entry(4, '/ab'), entry(5, '/a/b/c')];
    assert.equal(mountOf('/a/b', entries)?.id, 3);
    assert.equal(mountOf('/abc', entries)?.id, 1);
    assert.equal(mountOf('/a/b/c', entries)?.id, 5);
  });
});
