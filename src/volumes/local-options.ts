import { lookup } from 'node:dns/promises';
import { invalid } from '../common/index.ts';
import { MS, mount } from '../sys/index.ts';

const FLAGS: Record<string, number> = {
  ro: MS.RDONLY,
  nosuid: MS.NOSUID,
  nodev: MS.NODEV,
  noexec: MS.NOEXEC,
  bind: MS.BIND,
  rbind: MS.BIND | MS.REC,
  rw: 0,
  defaults: 0,
};

/** `-o` of the local driver: type, o and device go to mount(2) (moby volume/local). Throws in Docker's words. */
export function checkLocalOptions(name: string, options: Record<string, string>): void {
  for (const key of Object.keys(options))
    if (!['type', 'o', 'device', 'size'].includes(key)) throw invalid(`create ${name}: invalid option: "${key}"`);
  if (options.size !== undefined) throw invalid(`create ${name}: quota size requested but no quota support`);
  if (Object.keys(options).length > 0 && options.device === undefined)
    throw invalid(`create ${name}: missing required option: "device"`);
  if (options.type === undefined && !/\b(r?bind)\b/.test(options.o ?? ''))
    throw invalid(`create ${name}: missing required option: "type"`);
}

/** Mounts a volume with options at its place. For NFS the server's name is resolved here, as moby does. */
export async function mountLocal(target: string, options: Record<string, string>): Promise<void> {
  let flags = 0;
  let data: string[] = [];
  for (const word of (options.o ?? '').split(',').filter((text) => text !== '')) {
    const flag = FLAGS[word];
    if (flag === undefined) data.push(word);
    else flags |= flag;
  }
  if (/^nfs4?$/.test(options.type ?? '')) {
    data = await Promise.all(
      data.map(async (word) => (word.startsWith('addr=') ? `addr=${(await lookup(word.slice(5))).address}` : word)),
    );
  }
  const bind = (flags & MS.BIND) !== 0;
  mount(
    options.device ?? 'none',
    target,
    bind ? null : (options.type ?? null),
    flags,
    data.length === 0 ? null : data.join(','),
  );
  // A bind ignores the other flags; they need a second call.
  if (bind && (flags & MS.RDONLY) !== 0) mount('none', target, null, flags | MS.REMOUNT | MS.BIND);
}
