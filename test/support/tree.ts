import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AT_FDCWD, getXattr, listXattrs, mknodAt, S_IF, setXattr, statAt, utimesAt } from '../../src/sys/index.ts';

/** A file capability: cap_net_raw+ep, version 2 (linux/capability.h). */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

/** One of each kind of file that there is, with all that can be said of one. */
export function makeTree(dir: string): void {
  mkdirSync(join(dir, 'sub/deep'), { recursive: true });
  writeFileSync(join(dir, 'sub/file'), 'content');
  execFileSync('ln', [join(dir, 'sub/file'), join(dir, 'sub/hard')]);
  symlinkSync('../nowhere', join(dir, 'link'));
  symlinkSync('link-target', join(dir, 'sub/link'));
  execFileSync('ln', ['-P', join(dir, 'sub/link'), join(dir, 'sub/linked-link')]);
  mknodAt(AT_FDCWD, join(dir, 'device'), S_IF.BLK | 0o640, 7, 300);
  mknodAt(AT_FDCWD, join(dir, 'fifo'), S_IF.FIFO | 0o600);
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0xfe])]), 'not UTF-8');
  writeFileSync(join(dir, 'ümläut'), '');
  execFileSync('truncate', ['-s', '8M', join(dir, 'sparse')]);
  execFileSync('sh', [
    '-c',
    `printf middle | dd of='${join(dir, 'sparse')}' bs=1 seek=4000000 conv=notrunc status=none`,
  ]);
  writeFileSync(join(dir, 'large'), Buffer.alloc(700_000, 'large '));
  execFileSync('chown', ['-h', '1000:3000000', join(dir, 'sub/file'), join(dir, 'link'), join(dir, 'sub/deep')]);
  execFileSync('chmod', ['4755', join(dir, 'sub/file')]);
  execFileSync('chmod', ['3770', join(dir, 'sub/deep')]);
  setXattr(join(dir, 'sub/file'), 'security.capability', CAPABILITY);
  setXattr(join(dir, 'sub/deep'), 'user.note', Buffer.from([0, 1, 10, 255]));
  setXattr(join(dir, 'link'), 'trusted.note', Buffer.from('on a link'));
  const time = { seconds: 1_234_567_890, nanoseconds: 123_456_789 };
  for (const name of ['sub/file', 'link', 'device', 'fifo', 'sub/deep'])
    utimesAt(AT_FDCWD, join(dir, name), time, time);
}

/** Everything that must survive, as text. */
export function account(dir: string): string[] {
  const links = new Map<string, string>();
  const lines: string[] = [];
  const walk = (path: string) => {
    const names = readdirSync(path === '' ? dir : Buffer.from(`${dir}/${path}`, 'latin1'), {
      encoding: 'latin1' as BufferEncoding,
    }) as string[];
    for (const name of names.sort()) {
      const here = path === '' ? name : `${path}/${name}`;
      const full = Buffer.from(`${dir}/${here}`, 'latin1');
      const stat = statAt(AT_FDCWD, full);
      const type = stat.mode & S_IF.MT;
      const first = stat.links > 1 && type !== S_IF.DIR ? (links.get(stat.identity) ?? here) : here;
      links.set(stat.identity, first);
      const xattrs = listXattrs(full)
        .sort()
        .map((key) => `${key}=${getXattr(full, key)?.toString('hex')}`);
      const body = type === S_IF.REG ? createHash('sha256').update(readFileSync(full)).digest('hex') : '';
      const target = type === S_IF.LNK ? readlinkSync(full) : '';
      lines.push(
        [
          here,
          stat.mode.toString(8),
          stat.uid,
          stat.gid,
          `${stat.mtime.seconds}.${stat.mtime.nanoseconds}`,
          first,
          xattrs.join(),
          body,
          target,
          stat.deviceMajor,
          stat.deviceMinor,
          type === S_IF.REG && stat.allocatedBytes < stat.sizeBytes,
        ].join(' '),
      );
      if (type === S_IF.DIR) walk(here);
    }
  };
  walk('');
  return lines;
}
