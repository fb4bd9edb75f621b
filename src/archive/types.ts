import type { FileTime } from '../sys/index.ts';
import type { ModeChange } from './mode-change.ts';

/**
 * Archives: tar in and out of streams and directories, and copies of trees.
 *
 * - Names are *byte strings*: one character (0–255) a byte, because file names need not be UTF-8. `byteName` makes one of
 *   ordinary text, `textOf` shows one to people. Contents are Buffers.
 * - Streams (`readTar`, `writeTar`, `decompress`, `compress`) work anywhere, with back-pressure, holding no entry whole.
 * - What touches many files (`extractInto`, `packDirectory`, `copyTree`, `treeSize`, `removeTree` …) runs on worker threads:
 *   the calling thread only pumps chunks. Everything there is relative to a root directory and cannot leave it.
 */
export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo';

export interface TarHeader {
  /** Byte string, as the archive has it; a directory's may end with `/`. */
  name: string;
  type: TarEntryType;
  /** Permission bits with set-id and sticky bits, without the type. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of the content as a reader sees it; 0 for all but files. */
  size: number;
  mtime: FileTime;
  /** Byte string; of hard links (a name in the archive) and symbolic links. */
  linkName?: string;
  /** Byte strings. */
  userName?: string;
  groupName?: string;
  deviceMajor?: number;
  deviceMinor?: number;
  /** By name (a byte string, with its namespace). */
  xattrs?: ReadonlyMap<string, Buffer>;
}

export interface TarEntry {
  header: TarHeader;
  /** The content, holes as zeros. What is not read is skipped when the next entry is asked for. */
  body: AsyncIterable<Buffer>;
}

export interface TarItem {
  /** `size` is taken from a body given as bytes; for a stream the header's must be right. */
  header: Partial<TarHeader> & { name: string };
  body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** What decompression may grow to; past it the stream fails as invalid ("bomb"). */
export interface ExpansionLimits {
  /** Decompressed bytes at most. Default: no limit. */
  maxBytes?: number;
  /** Decompressed to compressed bytes at most, looked at once `ratioFloorBytes` came out. Default 200. */
  maxRatio?: number;
  /** Default 4 GiB: small archives of zeros are legitimate and shrink a thousandfold. */
  ratioFloorBytes?: number;
}

export interface Owner {
  uid: number;
  gid: number;
}

export interface ExtractOptions extends ExpansionLimits {
  /** A directory inside the root to extract into, UTF-8; symbolic links are followed inside the root. Default: the root itself. */
  path?: string;
  /** Every entry gets this owner instead of its own. */
  owner?: Owner;
  /** Refuse to replace a directory by something else, and the other way round (`docker cp`). */
  noOverwriteDirNonDir?: boolean;
  /** Also apply an entry for the root itself (`./`): owner, mode, time. Default: skipped, as Docker does. */
  topEntry?: boolean;
  /** Puts every top-level name under this one instead (the first component of each name is replaced). UTF-8. */
  renameTop?: string;
  /** Entries in the archive at most. Default 10,000,000. */
  maxEntries?: number;
  /** Called with the bytes taken from the source so far. */
  onProgress?: (bytesRead: number) => void;
  signal?: AbortSignal;
}

export interface ExtractResult {
  /** `sha256:…` of the decompressed archive, trailing bytes included. */
  diffId: string;
  /** Bytes of the files made, each hard-linked file once; directories count nothing. */
  sizeBytes: number;
  entries: number;
  compression: Compression;
  /** Of a layer; empty for other archives. */
  unsettled: Unsettled;
}

/** What a layer takes from the layers below it, and so can only have when it is known what it stands on. */
export interface Unsettled {
  /** Directories that the archive did not name (byte strings), each after its parent. */
  parents: string[];
  /** It hides all that is below its root. */
  opaqueRoot: boolean;
}

export interface PackOptions {
  /**
   * Name of the top entry (UTF-8), and prefix of all others: `etc` gives `etc/`, `etc/passwd`. Default: the base name of the path;
   * '' puts a directory's children at the top without an entry for itself.
   */
  as?: string;
  /** With `as: ''`: an entry `./` for the directory itself comes first. */
  topEntry?: boolean;
  /** Follow a symbolic link in the last component (inside the root). Default: only if the path ends with `/` or `/.`. */
  follow?: boolean;
  /** Holes of at least this many bytes in one file are kept as holes (GNU sparse 1.0 in PAX) instead of zeros. Default: 1 MiB. */
  sparseFromBytes?: number;
  /** Every entry gets this owner instead of its own. */
  owner?: Owner;
  /** Seconds since the epoch; later modification times become this one. */
  clampMtime?: number;
  /** Overlay upper directory: its whiteouts and opaque directories become `.wh.` entries. */
  whiteouts?: boolean;
  signal?: AbortSignal;
}

export interface CopyTreeOptions {
  /** Everything copied gets this owner instead of its own. */
  owner?: Owner;
  /** Every file and directory copied gets these permission bits instead of its own. */
  mode?: ModeChange;
  /** The destination directory itself keeps its owner, mode and times when it was there. Default: false, it becomes like the source. */
  keepTop?: boolean;
  signal?: AbortSignal;
}

export interface CopyTreeResult {
  files: number;
  sizeBytes: number;
}

export interface TreeChange {
  /** Byte string, absolute. */
  path: string;
  kind: 'A' | 'C' | 'D';
}
