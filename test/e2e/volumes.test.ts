import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeTar } from '../../src/archive/index.ts';
import { execute, TestDaemon } from '../support/index.ts';

describe('volumes', { concurrency: 2 }, () => {
  let daemon: TestDaemon;
  let work: string;
  before(async () => {
    daemon = await TestDaemon.start();
    work = mkdtempSync(join(tmpdir(), 'gt-vol-'));
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    rmSync(work, { recursive: true, force: true });
  });
  const run = (...args: string[]) => daemon.ok('run', '--rm', ...args);

  it('keep their data when containers go and the daemon is killed', async () => {
    await using own = await TestDaemon.start();
    await own.ok('run', '--rm', '-v', 'keep:/data', 'busybox', 'sh', '-c', 'echo kept > /data/f');
    await own.crash();
    await own.launch();
    assert.equal(await own.ok('run', '--rm', '-v', 'keep:/data', 'busybox', 'cat', '/data/f'), 'kept');
    await own.ok('volume', 'rm', 'keep');
  });

  it('are filled once when two containers start with them at the same moment', async () => {
    const outputs = await Promise.all(
      [1, 2].map(() => run('-v', 'fill:/etc', 'busybox', 'sh', '-c', 'ls /etc/passwd; stat -c %a /etc/passwd')),
    );
    assert.deepEqual(outputs, ['/etc/passwd\n644', '/etc/passwd\n644']);
  });

  it('go out and in as one archive, with owners, modes and links', async () => {
    await run(
      '-v',
      'out:/d',
      'busybox',
      'sh',
      '-c',
      'cd /d; echo x > f; chown 12:34 f; chmod 4711 f; ln f hard; ln -s f soft',
    );
    const archive = await daemon.gantry(['volume', 'export', '-o', join(work, 'v.tar'), 'out']);
    assert.equal(archive.code, 0, archive.stderr);
    await daemon.ok('volume', 'create', 'in');
    const back = await daemon.gantry(['volume', 'import', 'in', join(work, 'v.tar')]);
    assert.equal(back.code, 0, back.stderr);
    assert.equal(
      await run('-v', 'in:/d', 'busybox', 'sh', '-c', 'cd /d; stat -c "%a %u %g %h" f; readlink soft; cat hard'),
      '4711 12 34 2\nf\nx',
    );
  });

  it('cannot be led out of the root by a link in the image or the volume', async () => {
    const outside = join(work, 'outside');
    writeFileSync(outside, 'host');
    symlinkSync('/', join(work, 'evil'));
    const made = await daemon.ok(
      'run',
      '-d',
      '-v',
      'evil:/v',
      'busybox',
      'sh',
      '-c',
      `ln -s ${work} /v/link; ln -s ${work} /target; sleep 1000`,
    );
    const copied = await daemon.gantry(['cp', `${made}:/v/link/outside`, join(work, 'got')]);
    assert.notEqual(copied.code, 0);
    await daemon.ok('rm', '-f', made);
    const sub = await daemon.gantry([
      'run',
      '--rm',
      '--mount',
      'type=volume,source=evil,target=/m,volume-subpath=link',
      'busybox',
      'ls',
      '/m',
    ]);
    assert.match(sub.stderr, /path concatenation escapes the base directory/);
    assert.equal(readFileSync(outside, 'utf8'), 'host');
  });

  it('are pruned: anonymous ones, or all that nobody uses', async () => {
    await using own = await TestDaemon.start();
    await own.ok('volume', 'create', 'named');
    await own.ok('volume', 'create');
    await own.ok('create', '--name', 'user', '-v', 'used:/d', 'busybox');
    await own.ok('volume', 'prune', '-f');
    assert.deepEqual((await own.ok('volume', 'ls', '-q')).split('\n').sort(), ['named', 'used']);
    await own.ok('volume', 'prune', '-af');
    assert.equal(await own.ok('volume', 'ls', '-q'), 'used');
  });

  it('read-only mounts are so, with all below them', async () => {
    const outcome = await daemon.gantry(['run', '--rm', '-v', 'ro:/d:ro', 'busybox', 'touch', '/d/x']);
    assert.match(outcome.stderr, /Read-only file system/);
  });

  it('mounts, working directories and the files of /etc go where links of the image lead, dangling ones too', async () => {
    const links = [
      { header: { name: 'dangling', type: 'symlink', linkName: '/nowhere/dir' } },
      { header: { name: 'opt/up', type: 'symlink', linkName: '../../../up' } },
      { header: { name: 'etc/resolv.conf', type: 'symlink', linkName: '../run/resolve/stub.conf' } },
    ] as const;
    await daemon.ok('create', '--name', 'linked', 'busybox');
    const archive = Buffer.concat(await Array.fromAsync(writeTar(links)));
    const put = await daemon.api('PUT', '/containers/linked/archive?path=/', archive);
    assert.equal(put.status, 200, put.text);
    await daemon.ok('commit', 'linked', 'linked');
    await daemon.ok('rm', 'linked');
    const mounts = ['-v', 'dang:/dangling', '-v', `${work}:/dangling/sub:ro`, '--tmpfs', '/opt/up/tmp'];
    const script = 'grep -oE " /(nowhere|up)[^ ]* " /proc/mounts; pwd -P; test -s /etc/resolv.conf; ls -d /run';
    const outcome = await daemon.gantry([
      'run',
      '--name',
      'to',
      ...mounts,
      '-w',
      '/opt/up/w',
      'linked',
      'sh',
      '-c',
      script,
    ]);
    const seen = outcome.stdout.split('\n').map((line) => line.trim());
    assert.deepEqual(seen, ['/nowhere/dir', '/nowhere/dir/sub', '/up/tmp', '/up/w', '']);
    assert.equal(await daemon.ok('diff', 'to'), 'A /nowhere\nA /nowhere/dir\nA /up\nA /up/tmp\nA /up/w');
    await daemon.ok('rm', 'to');
  });

  it('binds take with them what is mounted below, unless told otherwise', async () => {
    const nest = join(work, 'nest');
    mkdirSync(join(nest, 'in'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'nested', join(nest, 'in')]);
    try {
      const seen = (...words: string[]) =>
        run(
          '--mount',
          [`type=bind,src=${nest},dst=/m`, ...words].join(),
          'busybox',
          'sh',
          '-c',
          'awk \'$2 ~ "^/m" { split($4, o, ","); print $2, o[1] }\' /proc/mounts',
        );
      assert.equal(await seen(), '/m rw\n/m/in rw');
      assert.equal(await seen('bind-recursive=disabled'), '/m rw');
      assert.equal(await seen('readonly', 'bind-recursive=disabled'), '/m ro');
      assert.equal(await seen('readonly'), '/m ro\n/m/in ro');
      assert.equal(await seen('readonly', 'bind-recursive=writable'), '/m ro\n/m/in rw');
      assert.equal(await seen('readonly', 'bind-recursive=readonly', 'bind-propagation=rprivate'), '/m ro\n/m/in ro');
    } finally {
      execFileSync('umount', [join(nest, 'in')]);
    }
  });

  it('a file is mounted read-only where nothing was', async () => {
    const file = join(work, 'file');
    writeFileSync(file, 'mounted');
    const script = 'cat /new; echo x >> /new';
    const outcome = await daemon.gantry(['run', '--rm', '-v', `${file}:/new:ro`, 'busybox', 'sh', '-c', script]);
    assert.equal(outcome.stdout, 'mounted');
    assert.match(outcome.stderr, /Read-only file system/);
  });

  it('what is mounted on one side of a shared mount appears on the other', async () => {
    const point = join(work, 'shared');
    mkdirSync(point);
    await execute('mount', ['-t', 'tmpfs', 'gantry-test', point]);
    try {
      await execute('mount', ['--make-shared', point]);
      for (const name of ['host', 'inside']) mkdirSync(join(point, name));
      const rights = ['--cap-add', 'SYS_ADMIN', '--security-opt', 'seccomp=unconfined'];
      await daemon.ok(
        'run',
        '-d',
        '--name',
        'share',
        '-v',
        `${point}:/x:rshared`,
        ...rights,
        'busybox',
        'sleep',
        '1000',
      );
      await execute('mount', ['-t', 'tmpfs', 'gantry-test', join(point, 'host')]);
      writeFileSync(join(point, 'host/a'), 'of the host');
      assert.equal(await daemon.ok('exec', 'share', 'cat', '/x/host/a'), 'of the host');
      await daemon.ok('exec', 'share', 'sh', '-c', 'mount -t tmpfs t /x/inside && echo of the container > /x/inside/b');
      assert.equal(readFileSync(join(point, 'inside/b'), 'utf8'), 'of the container\n');
      await daemon.ok('rm', '-f', 'share');
    } finally {
      for (const name of ['host', 'inside', '']) await execute('umount', [join(point, name)]);
    }
  });
});
