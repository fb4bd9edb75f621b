import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { promisify } from 'node:util';
import { internal, invalid, messageOf } from '../common/index.ts';
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

const FLAG_WORDS = (text: string) => text.split(',').filter((word) => Object.hasOwn(FLAGS, word));

/** Mounts a volume with options at its place, unless that was done. */
export async function mountLocal(target: string, options: Record<string, string>): Promise<void> {
  if (await isMounted(target)) return;
  const { flags, data } = parseMountOptions(options.o ?? '');
  const { device = '', type = '' } = options;
  try {
    if ((flags & MS.BIND) !== 0) bind(device, target, flags);
    else if (type === 'tmpfs') mount(device, target, type, flags, data.length === 0 ? null : data.join(','));
    else await mountRemote(target, { device, type, data, words: FLAG_WORDS(options.o ?? '') });
  } catch (error) {
    const shown = data.length === 0 ? '' : `, data: ${data.join(',')}`;
    throw internal(
      `error while mounting volume '${target}': failed to mount local volume: mount ${device}:${target}, flags: 0x${flags.toString(16)}${shown}: ${reasonOf(error)}`,
      error,
    );
  }
}

/** A bind ignores all flags but its own; the others need a second call. */
function bind(device: string, target: string, flags: number): void {
  mount(device, target, null, flags & (MS.BIND | MS.REC));
  const others = flags & ~(MS.BIND | MS.REC);
  if (others !== 0) mount('none', target, null, others | MS.REMOUNT | MS.BIND);
}

interface RemoteMount {
  device: string;
  type: string;
  data: string[];
  words: string[];
}

/**
 * A file system that may wait for a server or a disk: mount(8) does the call, so that this process does not stand still meanwhile. `-i`: no helper
 * program; a server's name is resolved here, because the kernel takes addresses only (as moby does for `addr=`).
 */
async function mountRemote(target: string, { device, type, data, words }: RemoteMount): Promise<void> {
  const resolved = await Promise.all(
    data.map(async (word) => (word.startsWith('addr=') ? `addr=${(await lookup(word.slice(5))).address}` : word)),
  );
  const list = [...words, ...resolved].join(',');
  await run('mount', ['-i', '-t', type, ...(list === '' ? [] : ['-o', list]), device, target]);
}

function reasonOf(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  if (stderr)
    return (
      stderr
        .trim()
        .replace(/^mount: [^:]+: /, '')
        .split('\n')[0] ?? ''
    );
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
