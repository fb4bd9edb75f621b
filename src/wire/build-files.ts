/**
 * Gantry's own `POST /build/files`: `POST /build` for a client that has a directory. It lists the files; the daemon, which kept them
 * since the last build of this directory, answers 202 with those that it lacks, and the client asks again, with these behind the list.
 * Once nothing is missing the answer is that of `POST /build`.
 *
 * The body: a line of JSON (BuildFilesHead), the list (JSON, `listBytes` long), then for each file sent a line of JSON (SentFile),
 * and its bytes if it is sent whole. Names and link targets are byte strings: one character a byte.
 */
export interface BuildFilesHead {
  /** The client's name for this directory, e.g. host and path: files of the last build by that name are compared. */
  context: string;
  /** Name and text; it need not be among the files. */
  dockerfile: { name: string; text: string };
  listBytes: number;
}

/**
 * Parents come before what is in them. `mode`: permission bits. `mtime`: seconds. `stamp`: whatever changes when the content may have
 * (inode, times, size); an empty one says nothing.
 */
export type ListedFile =
  | readonly ['d', path: string, mode: number, mtime: number]
  | readonly ['l', path: string, mtime: number, target: string]
  | readonly ['f', path: string, mode: number, mtime: number, size: number, stamp: string];

/** Places in the list: of files to be sent, and of files whose digest may be enough. */
export interface MissingFiles {
  contents: number[];
  digests: number[];
}

/** `size` bytes follow, or none and the SHA-256 (hex) stands for them. */
export type SentFile = { file: number; size: number } | { file: number; digest: string };
