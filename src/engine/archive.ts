import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { extractInto, packDirectory } from '../archive/index.ts';
import { conflict, EngineError, invalid, isErrno, notFound, rfc3339Nano } from '../common/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { VolumeStore } from '../volumes/index.ts';
import type { Container, ContainerBook } from './containers/book.ts';
import { resolveInRoot } from './containers/root-path.ts';
import type { ArchiveService, PathStat } from './types.ts';

export interface ArchiveParts {
  book: ContainerBook;
  layers: LayerStore;
  volumes: VolumeStore;
}

/** Go's os.FileMode bits above the permissions (io/fs). */
const GO_MODE = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  pipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  charDevice: 2 ** 21,
  sticky: 2 ** 20,
};

interface Place {
  /** The directory that paths are resolved in. */
  root: string;
  /** Inside the root, absolute. */
  path: string;
  readonly: boolean;
  release: () => Promise<void>;
}

/** `docker cp` and volume archives. A running container is seen through its own root, so with all its mounts; a stopped one by its layer and volumes. */
export class Archive implements ArchiveService {
  readonly #parts: ArchiveParts;
  constructor(parts: ArchiveParts) {
    this.#parts = parts;
  }

  async #place(container: Container, path: string): Promise<Place> {
    const absolute = posix.normalize(`/${path}`);
    if (container.running)
      return { root: `/proc/${container.state.pid}/root`, path: absolute, readonly: false, release: async () => {} };
    const { layers, volumes } = this.#parts;
    const rootfs = await layers.mount(container.id);
    const release = async () => {
      if (!container.running) await layers.unmount(container.id);
    };
    // The path as it resolves in the image decides which volume it lies in.
    const resolved =
      `/${posix.relative(rootfs, resolveInRoot(rootfs, posix.dirname(absolute)))}/${basename(absolute)}`.replace(
        /\/+/g,
        '/',
      );
    const inside = (destination: string) => resolved === destination || resolved.startsWith(`${destination}/`);
    const [mount] = container.record.mounts
      .filter(({ type, destination }) => type !== 'tmpfs' && type !== 'image' && inside(destination))
      .sort((a, b) => b.destination.length - a.destination.length);
    if (mount === undefined)
      return { root: rootfs, path: absolute, readonly: container.record.host.ReadonlyRootfs === true, release };
    const source = mount.type === 'bind' ? mount.source : await volumes.mount(mount.source, `cp-${container.id}`);
    return {
      root: source,
      path: `/${resolved.slice(mount.destination.length)}`.replace(/^\/+/, '/'),
      readonly: !mount.rw,
      release: async () => {
        if (mount.type === 'volume') await volumes.unmount(mount.source, `cp-${container.id}`);
        await release();
      },
    };
  }

  async stat(ref: string, path: string): Promise<PathStat> {
    const container = this.#parts.book.get(ref);
    const place = await this.#place(container, path);
    try {
      return this.#stat(place, path, ref);
    } finally {
      await place.release();
    }
  }

  #stat(place: Place, asked: string, ref: string): PathStat {
    try {
      const parent = resolveInRoot(place.root, posix.dirname(place.path));
      const own = place.path === '/' ? place.root : join(parent, basename(place.path));
      const follow = asked.endsWith('/') || asked.endsWith('/.');
      const target = follow ? resolveInRoot(place.root, place.path) : own;
      const info =
        follow || own === place.root ? statSync(target, { bigint: true }) : lstatSync(target, { bigint: true });
      const kind = info.isDirectory()
        ? GO_MODE.directory
        : info.isSymbolicLink()
          ? GO_MODE.symlink
          : info.isCharacterDevice()
            ? GO_MODE.device + GO_MODE.charDevice
            : info.isBlockDevice()
              ? GO_MODE.device
              : info.isFIFO()
                ? GO_MODE.pipe
                : info.isSocket()
                  ? GO_MODE.socket
                  : 0;
      const mode = Number(info.mode);
      const special =
        (mode & 0o4000 ? GO_MODE.setuid : 0) +
        (mode & 0o2000 ? GO_MODE.setgid : 0) +
        (mode & 0o1000 ? GO_MODE.sticky : 0);
      let linkTarget = '';
      if (info.isSymbolicLink()) {
        readlinkSync(own);
        linkTarget = `/${posix.relative(place.root, resolveInRoot(place.root, place.path))}`;
      }
      return {
        name: basename(place.path) || '/',
        size: Number(info.size),
        mode: kind + special + (mode & 0o777),
        mtime: rfc3339Nano(info.mtimeNs),
        linkTarget,
      };
    } catch (error) {
      if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR'))
        throw notFound(`Could not find the file ${asked} in container ${ref}`);
      throw error;
    }
  }

  async get(ref: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; tar: Readable }> {
    const container = this.#parts.book.get(ref);
    const place = await this.#place(container, path);
    try {
      const stat = this.#stat(place, path, ref);
      const contents = path.endsWith('/.') || path === '/';
      const tar = packDirectory(place.root, path.endsWith('/.') ? `${place.path}/.` : place.path, {
        as: contents ? basename(place.path) || '.' : basename(place.path),
        signal,
      });
      tar.once('close', () => void place.release().catch(() => {}));
      return { stat, tar };
    } catch (error) {
      await place.release();
      throw error;
    }
  }

  async put(
    ref: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; signal: AbortSignal },
  ): Promise<void> {
    try {
      await this.#put(ref, path, tar, options);
    } catch (error) {
      // Clients send the whole archive before they read an answer.
      for await (const _ of tar.iterator({ destroyOnReturn: false }));
      throw error;
    }
  }

  async #put(
    ref: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; signal: AbortSignal },
  ): Promise<void> {
    const container = this.#parts.book.get(ref);
    if (
      container.record.host.ReadonlyRootfs &&
      !container.record.mounts.some(
        ({ destination, rw }) => rw && `${posix.normalize(`/${path}`)}/`.startsWith(`${destination}/`),
      )
    )
      throw new EngineError('forbidden', 'container rootfs is marked read-only');
    const place = await this.#place(container, path);
    try {
      if (place.readonly) throw new EngineError('forbidden', 'mounted volume is marked read-only');
      const target = resolveInRoot(place.root, place.path);
      const info = statSync(target, { throwIfNoEntry: false });
      if (info === undefined) throw notFound(`Could not find the file ${path} in container ${ref}`);
      if (!info.isDirectory()) throw invalid('extraction point is not a directory');
      await extractInto(place.root, tar, {
        path: place.path,
        noOverwriteDirNonDir: options.noOverwriteDirNonDir,
        signal: options.signal,
      });
    } finally {
      await place.release();
    }
  }

  async exportVolume(name: string, signal: AbortSignal): Promise<Readable> {
    await this.#parts.volumes.inspect(name);
    const holder = `export-${process.hrtime.bigint()}`;
    const path = await this.#parts.volumes.mount(name, holder);
    const tar = packDirectory(path, '/', { as: '', topEntry: true, signal });
    tar.once('close', () => void this.#parts.volumes.unmount(name, holder).catch(() => {}));
    return tar;
  }

  async importVolume(name: string, tar: Readable, signal: AbortSignal): Promise<void> {
    await this.#parts.volumes.inspect(name);
    if (this.#parts.volumes.holders(name).some((id) => this.#parts.book.find(id)?.running === true))
      throw conflict(`volume ${name} is used by a running container`);
    const holder = `import-${process.hrtime.bigint()}`;
    const path = await this.#parts.volumes.mount(name, holder);
    try {
      await extractInto(path, tar, { topEntry: true, signal });
    } finally {
      await this.#parts.volumes.unmount(name, holder);
    }
  }
}
