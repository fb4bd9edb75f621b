import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { internal, invalid, isErrno, messageOf } from '../common/index.ts';
import { MS, mount, mounts, unmount } from '../sys/index.ts';

const run = promisify(execFile);

/** Words of `o=` that are flags of mount(2) (moby/sys/mount flags_linux.go; values from sys/mount.h). */
const FLAGS: Record<string, { set?: number; clear?: number }> = {
  defaults: {},
  ro: { set: MS.RDONLY },
  rw: { clear: MS.RDONLY },
  nosuid: { set: MS.NOSUID },
  suid: { clear: MS.NOSUID },
  nodev: { set: MS.NODEV },
  dev: { clear: MS.NODEV },
  noexec: { set: MS.NOEXEC },
  exec: { clear: MS.NOEXEC },
  sync: { set: 16 },
  dirsync: { set: 128 },
  noatime: { set: 1024 },
  nodiratime: { set: 2048 },
  relatime: { set: 1 << 21 },
  strictatime: { set: 1 << 24 },
  bind: { set: MS.BIND },
  rbind: { set: MS.BIND | MS.REC },
};

const KEYS = ['type', 'o', 'device', 'size'];

/** `-o` of the local driver: type, o and device of mount(8). Throws in Docker's words (moby volume/local). */
export function checkLocalOptions(name: string, options: Record<string, string>): void {
  for (const key of Object.keys(options))
    if (!KEYS.includes(key)) throw invalid(`create ${name}: invalid option: ${JSON.stringify(key)}`);
  if (options.size !== undefined) throw invalid(`create ${name}: quota size requested but no quota support`);
  if (Object.keys(options).length === 0) return;
  for (const key of ['device', 'type'])
    if (options[key] === undefined) throw invalid(`create ${name}: missing required option: ${JSON.stringify(key)}`);
}

/** Flags and the file system's own options. */
export function parseMountOptions(text: string): { flags: number; data: string[] } {
  let flags = 0;
  const data: string[] = [];
  for (const word of text.split(',').filter((part) => part !== '')) {
    const flag = FLAGS[word];
    if (flag === undefined) data.push(word);
    else flags = (flags | (flag.set ?? 0)) & ~(flag.clear ?? 0);
  }
  return { flags, data };
}

const flagWords = (text: string) => text.split(',').filter((word) => Object.hasOwn(FLAGS, word));

/** Mounts a volume with options at its place, unless that was done. Throws in Docker's words; a password is not told. */
export async function mountLocal(target: string, options: Record<string, string>): Promise<void> {
  if (await isMounted(target)) return;
  const { device = '', type = '' } = options;
  const { flags, data } = parseMountOptions(options.o ?? '');
  const failed = (why: string, error: unknown) =>
    internal(`error while mounting volume '${target}': ${why}`.replace(/password=[^,:]*/, 'password=********'), error);
  const resolved = await withAddress(type, device, data).catch((error: unknown) => {
    throw failed(`error resolving passed in network volume address: ${messageOf(error)}`, error);
  });
  try {
    if ((flags & MS.BIND) !== 0) bind(device, target, flags);
    else if (type === 'tmpfs') mount(device, target, type, flags, data.length === 0 ? null : data.join(','));
    else await mountElsewhere(target, { device, type, words: [...flagWords(options.o ?? ''), ...resolved] });
  } catch (error) {
    const shownFlags = flags === 0 ? '' : `, flags: 0x${flags.toString(16)}`;
    const shownData = data.length === 0 ? '' : `, data: ${data.join(',')}`;
    throw failed(
      `failed to mount local volume: mount ${device}:${target}${shownFlags}${shownData}: ${reasonOf(error)}`,
      error,
    );
  }
}

/** The kernel takes addresses only: a server named by `addr=`, or by the device of cifs, is resolved here (as moby does). */
async function withAddress(type: string, device: string, data: readonly string[]): Promise<string[]> {
  if (type !== 'nfs' && type !== 'cifs') return [...data];
  const given = data.find((word) => word.startsWith('addr='))?.slice(5);
  const name = given ?? (type === 'cifs' ? /^\/\/([^/]+)/.exec(device)?.[1] : undefined);
  if (name === undefined || isIP(name) !== 0) return [...data];
  const { address } = await lookup(name).catch((error: unknown) => {
    throw isErrno(error, 'ENOTFOUND') ? new Error(`lookup ${name}: no such host`) : error;
  });
  return given === undefined
    ? [...data, `ip=${address}`]
    : data.map((word) => (word === `addr=${given}` ? `addr=${address}` : word));
}

/** A bind ignores all flags but its own; the others need a second call. */
function bind(device: string, target: string, flags: number): void {
  mount(device, target, null, flags & (MS.BIND | MS.REC));
  const others = flags & ~(MS.BIND | MS.REC);
  if (others !== 0) mount('none', target, null, others | MS.REMOUNT | MS.BIND);
}

/**
 * A file system that may wait for a server or a disk: mount(8) does the call, so that this process does not stand still meanwhile.
 * `-i`: no helper program. What is mounted stands in an fstab(5) of its own: among the options may be a password, and everybody sees
 * the arguments of a process.
 */
async function mountElsewhere(target: string, mount: { device: string; type: string; words: string[] }): Promise<void> {
  const { device, type, words } = mount;
  const table = join(dirname(target), 'fstab');
  const fields = [device, target, type, words.join(',') || 'defaults', '0', '0'].map(fstabField);
  await writeFile(table, `${fields.join(' ')}\n`, { mode: 0o600 });
  try {
    await run('mount', ['-i', '-T', table, target], { env: { ...process.env, LC_ALL: 'C' } });
  } finally {
    await rm(table);
  }
}

const fstabField = (text: string): string =>
  text.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** What mount(8) says for what errors of mount(2) (util-linux libmount/src/context_mount.c). */
const MOUNT_WORDS: readonly (readonly [RegExp, string])[] = [
  [/unknown filesystem type/, 'no such device'],
  [/special device .* does not exist|mount point does not exist/, 'no such file or directory'],
  [/wrong fs type, bad option|bad option; for several/, 'invalid argument'],
  [/not a block device/, 'block device required'],
];

function reasonOf(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  if (stderr) {
    const line = stderr.split('\n')[0] ?? '';
    const known = MOUNT_WORDS.find(([pattern]) => pattern.test(line))?.[1];
    const said = /mount\(2\) system call failed: (.+?)\.?$/.exec(line)?.[1] ?? line.replace(/^mount: [^:]+: /, '');
    return known ?? said.toLowerCase();
  }
  // `ENOENT: no such file or directory, mount '…'` → what strerror says.
  return /^E[A-Z0-9]+: ([^,]+)/.exec(messageOf(error))?.[1] ?? messageOf(error);
}

export async function unmountLocal(target: string): Promise<void> {
  if (await isMounted(target)) unmount(target);
}

const isMounted = async (target: string): Promise<boolean> => (await mounts()).some((entry) => entry.target === target);

/** True if anything is mounted at or below the directory. */
export const hasMountsBelow = async (directory: string): Promise<boolean> =>
  (await mounts()).some(({ target }) => target === directory || target.startsWith(`${directory}/`));
