import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';

/** A tar of a local file or tree, its top entry named `name` (`.` leaves it out). Nothing is held in memory but the list of one directory. */
export function packLocal(path: string, name: string, followLink: boolean): { archive: Readable; size: () => number } {
  const archive = pack();
  let size = 0;
  const add = async (from: string, to: string, top: boolean): Promise<void> => {
    const info = await (top && followLink ? stat(from) : lstat(from));
    const header = { name: to, mode: info.mode & 0o7777, uid: info.uid, gid: info.gid, mtime: info.mtime };
    if (info.isDirectory()) {
      if (to !== '.') archive.entry({ ...header, name: `${to}/`, type: 'directory' });
      for (const child of (await readdir(from)).toSorted())
        await add(join(from, child), to === '.' ? child : `${to}/${child}`, false);
    } else if (info.isSymbolicLink()) archive.entry({ ...header, type: 'symlink', linkname: await readlink(from) });
    else if (info.isFile()) {
      size += info.size;
      await pipeline(createReadStream(from), archive.entry({ ...header, size: info.size }));
    } else if (info.isFIFO()) archive.entry({ ...header, type: 'fifo' });
    // Sockets cannot be archived; devices are left to `export`.
  };
  add(path, name, true).then(
    () => archive.finalize(),
    (error: Error) => archive.destroy(error),
  );
  return { archive: Readable.from(archive, { objectMode: false }), size: () => size };
}
