import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A root file system of busybox-static's: /bin, /etc/passwd, /etc/group, /tmp, /root. The same as the quickstart makes. */
export async function busyboxTar(): Promise<Buffer> {
  const dir = mkdtempSync(join(tmpdir(), 'gt-image-'));
  try {
    const root = join(dir, 'root');
    for (const name of ['bin', 'etc', 'tmp', 'root', 'home', 'var', 'usr'])
      mkdirSync(join(root, name), { recursive: true });
    chmodSync(join(root, 'tmp'), 0o1777);
    chmodSync(join(root, 'root'), 0o700);
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    for (const applet of execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n'))
      if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nuser:x:1000:1000:user:/home:/bin/sh\n',
    );
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\ndaemon:x:1:\nstaff:x:50:user\nuser:x:1000:\n');
    execFileSync('tar', ['-C', root, '--numeric-owner', '--owner=0', '--group=0', '-cf', join(dir, 'image.tar'), '.']);
    return await readFile(join(dir, 'image.tar'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
