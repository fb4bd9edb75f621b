import { basename, dirname } from 'node:path/posix';
import { invalid } from '../common/index.ts';
import type { Extent } from '../sys/index.ts';
import { BLOCK } from './header.ts';
import { isAscii, textOf } from './names.ts';
import { formatPaxTime, writeOctal } from './numbers.ts';
import { encodePax, type PaxRecord } from './pax.ts';
import { encodeSparseMap } from './sparse.ts';
import type { TarEntryType, TarHeader } from './types.ts';

const TYPE_FLAGS: Record<TarEntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
};

/** What follows an entry's data, up to the next block. */
export const paddingOf = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
/** What closes an archive. */
export const archiveEnd = (): Buffer => Buffer.alloc(2 * BLOCK);

/** ustar's split of a long name into prefix and name, if there is one. */
function splitName(name: string): { prefix: string; name: string } | undefined {
  if (!isAscii(name)) return undefined;
  if (name.length <= 100) return { prefix: '', name };
  if (name.length > 256) return undefined;
  const cut = name.indexOf('/', name.length - 101);
  if (cut <= 0 || cut > 155 || cut === name.length - 1) return undefined;
  return { prefix: name.slice(0, cut), name: name.slice(cut + 1) };
}

const cutTo = (text: string, length: number): string => text.replace(/[\x80-\xff]/g, '_').slice(0, length);

function sum(block: Buffer): void {
  block.fill(0x20, 148, 156);
  let total = 0;
  for (const byte of block) total += byte;
  block.write(`${total.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

/** A header block; what does not fit is put into `records`. */
function headerBlock(header: TarHeader, storedSize: number, records: PaxRecord[]): Buffer {
  const block = Buffer.alloc(BLOCK);
  const number = (offset: number, length: number, value: number, key: string | undefined) => {
    if (writeOctal(block, offset, length, value)) return;
    if (key === undefined) throw invalid(`${textOf(header.name)}: ${value} does not fit into an archive`);
    records.push([key, String(value)]);
    writeOctal(block, offset, length, 0);
  };
  const text = (offset: number, length: number, value: string, key: string) => {
    if (value.length > length || !isAscii(value)) records.push([key, value]);
    block.write(cutTo(value, length), offset, 'latin1');
  };
  const split = splitName(header.name);
  if (split === undefined) {
    records.push(['path', header.name]);
    block.write(cutTo(header.name, 100), 0, 'latin1');
  } else {
    block.write(split.name, 0, 'latin1');
    block.write(split.prefix, 345, 'latin1');
  }
  number(100, 8, header.mode & 0o7777, undefined);
  number(108, 8, header.uid, 'uid');
  number(116, 8, header.gid, 'gid');
  number(124, 12, storedSize, 'size');
  if (header.mtime.nanoseconds !== 0 || !writeOctal(block, 136, 12, header.mtime.seconds)) {
    records.push(['mtime', formatPaxTime(header.mtime)]);
    writeOctal(block, 136, 12, Math.min(Math.max(0, header.mtime.seconds), 0o77777777777));
  }
  block.write(TYPE_FLAGS[header.type], 156, 'latin1');
  text(157, 100, header.linkName ?? '', 'linkpath');
  block.write('ustar\x0000', 257, 'latin1');
  text(265, 32, header.userName ?? '', 'uname');
  text(297, 32, header.groupName ?? '', 'gname');
  number(329, 8, header.deviceMajor ?? 0, undefined);
  number(337, 8, header.deviceMinor ?? 0, undefined);
  sum(block);
  return block;
}

/** The extended header's own name, as Go and GNU tar choose it. */
const extensionName = (name: string): string =>
  cutTo(`${dirname(name)}/PaxHeaders.0/${basename(name)}`.replace(/^\.\//, ''), 100);

/**
 * All that leads an entry's data: a PAX extended header if something does not fit ustar, and the header. With `extents` the file is
 * sparse (GNU 1.0) and only the bytes of those follow; `storedBytes` says how many come in all, map included.
 */
export function encodeEntry(header: TarHeader, extents?: readonly Extent[]): { bytes: Buffer; storedBytes: number } {
  const records: PaxRecord[] = [];
  for (const [key, value] of header.xattrs ?? [])
    if (value.length > 0) records.push([`SCHILY.xattr.${key}`, value.toString('latin1')]);
  const map = extents === undefined ? undefined : encodeSparseMap(extents, header.size);
  const data = extents?.reduce((total, { length }) => total + length, 0) ?? header.size;
  const storedBytes = header.type === 'file' ? data + (map?.length ?? 0) : 0;
  let shown = header;
  if (map !== undefined) {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.name', header.name]);
    records.push(['GNU.sparse.realsize', String(header.size)]);
    shown = { ...header, name: cutTo(`GNUSparseFile.0/${basename(header.name)}`, 100) };
  }
  const block = headerBlock(shown, storedBytes, records);
  if (records.length === 0) return { bytes: block, storedBytes };
  records.sort(([a], [b]) => (a < b ? -1 : 1));
  const pax = encodePax(records);
  const lead = Buffer.alloc(BLOCK);
  lead.write(extensionName(header.name), 0, 'latin1');
  writeOctal(lead, 100, 8, 0o644);
  for (const at of [108, 116, 329, 337]) writeOctal(lead, at, 8, 0);
  if (!writeOctal(lead, 124, 12, pax.length)) throw invalid(`${textOf(header.name)}: too many attributes`);
  writeOctal(lead, 136, 12, 0);
  lead.write('x', 156, 'latin1');
  lead.write('ustar\x0000', 257, 'latin1');
  sum(lead);
  return {
    bytes: Buffer.concat([lead, pax, paddingOf(pax.length), block, ...(map === undefined ? [] : [map])]),
    storedBytes,
  };
}
