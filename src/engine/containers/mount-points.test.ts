import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeMountPoints, placesInRoot } from './mount-points.ts';
import { accountsOf, textInRoot } from './root-path.ts';

describe('places in a root file system', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'gt-places-'));
    mkdirSync(join(root, 'real/dir'), { recursive: true });
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'plain'), '');
    symlinkSync('/nowhere/dir', join(root, 'dangling'));
    symlinkSync('../../../up', join(root, 'real/up'));
    symlinkSync('/etc', join(root, 'real/hidden'));
    symlinkSync('real/dir', join(root, 'relative'));
    symlinkSync('loop', join(root, 'loop'));
  });
  after(() => rmSync(root, { recursive: true }));
  const of = (...destinations: string[]) =>
    placesInRoot(
      root,
      destinations.map((destination) => ({ destination, type: 'bind', source: '/x', options: [] })),
      '/',
    ).mounts.map(({ destination }) => destination);

  it('are where links lead, also dangling ones, never outside', () => {
    assert.deepEqual(of('/dangling', '/dangling/sub', '/real/up', '/relative/new', '/missing/x', '/'), [
      '/nowhere/dir',
      '/nowhere/dir/sub',
      '/up',
      '/real/dir/new',
      '/missing/x',
      '/',
    ]);
    assert.throws(() => of('/loop/x'), /too many links/);
  });

  it('below another mount are left to the runtime, since links of the root are not seen there', () => {
    assert.deepEqual(of('/real', '/real/hidden/x', '/sys/self/root'), ['/real', '/real/hidden/x', '/sys/self/root']);
    assert.throws(() => of('/proc/self/root'), /inside \/proc/);
    assert.deepEqual(of('/real/hidden/x'), ['/etc/x']);
  });

  it('are made with the modes of runc, but not below other mounts and not outside', () => {
    const bind = (source: string, destination: string) => ({ destination, type: 'bind', source, options: [] });
    const above = join(root, '..', 'gt-places-none');
    makeMountPoints(root, [
      { ...bind('tmpfs', '/made/tmp'), type: 'tmpfs' },
      bind(join(root, 'plain'), '/made/file'),
      bind(join(root, 'etc'), '/made/tmp/below'),
      bind(join(root, 'etc'), '/plain/x'),
      bind(join(root, 'etc'), '/dev/shm'),
      bind(join(root, 'etc'), '/../gt-places-none'),
    ]);
    const modes = ['made', 'made/tmp', 'made/file'].map((name) => lstatSync(join(root, name)).mode.toString(8));
    assert.deepEqual(modes, ['40755', '40755', '100644']);
    for (const name of ['made/tmp/below', 'dev']) assert.equal(existsSync(join(root, name)), false, name);
    assert.equal(existsSync(above), false);
    rmSync(join(root, 'made'), { recursive: true });
  });

  it('a working directory is no file, unless something is mounted there', () => {
    const mount = { destination: '/plain', type: 'bind', source: '/x', options: [] };
    assert.throws(() => placesInRoot(root, [], '/plain'), /^EngineError: Cannot mkdir: \/plain is not a directory$/);
    assert.equal(placesInRoot(root, [mount], '/plain').cwd, '/plain');
    assert.equal(placesInRoot(root, [], '/dangling/sub').cwd, '/nowhere/dir/sub');
  });

  it('a tmpfs has the mode of the directory that it covers, unless it is given one', () => {
    mkdirSync(join(root, 'closed'), { mode: 0o700 });
    const tmpfs = (destination: string, ...options: string[]) => ({
      destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options,
    });
    const bind = { destination: '/covered', type: 'bind', source: root, options: [] };
    const given = [tmpfs('/closed'), tmpfs('/none'), tmpfs('/closed', 'mode=711'), bind, tmpfs('/covered/closed')];
    const modes = placesInRoot(root, given, '/').mounts.map(({ options }) => options.join());
    assert.deepEqual(modes, ['mode=700', '', 'mode=711', '', 'mode=700']);
  });

  it('accounts are read from files only, inside the root', () => {
    const etc = join(root, 'etc');
    execFileSync('mkfifo', [join(etc, 'passwd')]);
    symlinkSync('/dev/zero', join(etc, 'group'));
    mkdirSync(join(root, 'dev'));
    execFileSync('mknod', [join(root, 'dev/zero'), 'c', '1', '5']);
    assert.deepEqual(accountsOf(root), { passwd: '', group: '' });
    writeFileSync(join(root, 'real/accounts'), 'root:x:0:0\n');
    symlinkSync('../../../real/accounts', join(etc, 'link'));
    symlinkSync('/proc/self/status', join(etc, 'out'));
    assert.equal(textInRoot(root, '/etc/link'), 'root:x:0:0\n');
    assert.equal(textInRoot(root, '/etc/out'), '');
  });
});
