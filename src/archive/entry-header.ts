import { invalid } from '../common/index.ts';
import type { FileTime } from '../sys/index.ts';
import type { RawHeader } from './header.ts';
import { textOf } from './names.ts';
import { parseDecimal, parsePaxTime } from './numbers.ts';
import type { PaxRecord } from './pax.ts';
import type { TarEntryType, TarHeader } from './types.ts';

const TYPES: Record<string, TarEntryType> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  '7': 'file', // contiguous
  D: 'dir', // GNU incremental: a directory with its listing as data
  S: 'file', // old GNU sparse
};

const XATTR = 'SCHILY.xattr.';

/** What preceded a header and applies to it. */
export interface Extensions {
  pax: readonly PaxRecord[];
  longName: string | undefined;
  longLink: string | undefined;
}

function entryType(raw: RawHeader, name: string): TarEntryType {
  const type = TYPES[raw.type];
  if (type === undefined) throw invalid(`archive entry ${textOf(name)}: unknown type ${JSON.stringify(raw.type)}`);
  // v7 archives have no type for directories; the name tells.
  if (type === 'file' && name.endsWith('/') && (raw.type === '\0' || raw.size === 0)) return 'dir';
  return type;
}

/** Lays PAX records and GNU long names over a header. An empty PAX value takes a record back. Throws invalid. */
export function entryHeader(raw: RawHeader, extensions: Extensions): TarHeader {
  const pax = new Map(extensions.pax);
  const given = (key: string): string | undefined => pax.get(key) || undefined;
  const number = (key: string, otherwise: number): number => {
    const value = given(key);
    return value === undefined ? otherwise : parseDecimal(value);
  };
  const name = given('GNU.sparse.name') ?? given('path') ?? extensions.longName ?? raw.name;
  const linkName = given('linkpath') ?? extensions.longLink ?? raw.linkName;
  const mtime = given('mtime');
  const time: FileTime = mtime === undefined ? { seconds: raw.mtime, nanoseconds: 0 } : parsePaxTime(mtime);
  if (name.includes('\0') || linkName.includes('\0')) throw invalid('archive is damaged: a name holds a NUL byte');
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of pax)
    if (key.startsWith(XATTR) && key.length > XATTR.length)
      xattrs.set(key.slice(XATTR.length), Buffer.from(value, 'latin1'));
  const type = entryType(raw, name);
  return {
    name,
    type,
    mode: raw.mode & 0o7777,
    uid: number('uid', raw.uid),
    gid: number('gid', raw.gid),
    size: type === 'file' ? number('size', raw.size) : 0,
    mtime: time,
    linkName,
    userName: given('uname') ?? raw.userName,
    groupName: given('gname') ?? raw.groupName,
    deviceMajor: raw.deviceMajor,
    deviceMinor: raw.deviceMinor,
    xattrs,
  };
}

/** Bytes of data that follow the header. Links, devices and fifos have none, whatever their size field says (POSIX pax). */
export function storedSize(raw: RawHeader, header: TarHeader, extensions: Extensions): number {
  if (header.type !== 'file' && raw.type !== 'D' && raw.type !== '5') return 0;
  if (header.type === 'dir' && raw.type === '5') return 0;
  const size = new Map(extensions.pax).get('size') || undefined;
  return size === undefined ? raw.size : parseDecimal(size);
}
