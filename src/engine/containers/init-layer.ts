import { existsSync, lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { type TarItem, writeTar } from '../../archive/index.ts';
import type { Lease } from '../../common/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import { resolveInRoot } from './root-path.ts';

/**
 * What every container finds under its mounts: directories and empty files for them (moby daemon/initlayer). They are a layer of their own
 * between the image and the container, so that neither `diff` nor `commit` shows them.
 */
const ENTRIES: [path: string, type: 'dir' | 'file' | 'symlink'][] = [
  ['dev', 'dir'],
  ['dev/pts', 'dir'],
  ['dev/shm', 'dir'],
  ['dev/console', 'file'],
  ['proc', 'dir'],
  ['sys', 'dir'],
  ['etc', 'dir'],
  ['etc/hosts', 'file'],
  ['etc/hostname', 'file'],
  ['etc/resolv.conf', 'file'],
  ['etc/mtab', 'symlink'],
  ['.dockerenv', 'file'],
];

/** What is there in the stack of layers, topmost first. A whiteout (a character device 0:0) hides what is below. */
function find(lower: readonly string[], path: string): Stats | undefined {
  for (const layer of lower) {
    const info = lstatSync(join(layer, path), { throwIfNoEntry: false });
    if (info !== undefined) return info.isCharacterDevice() && info.rdev === 0 ? undefined : info;
  }
  return undefined;
}

function danglingIn(root: string, links: typeof ENTRIES): string[] {
  return links.map(([path]) => path).filter((path) => !existsSync(resolveInRoot(root, path)));
}

function item(path: string, type: 'dir' | 'file' | 'symlink'): TarItem {
  if (type === 'dir') return { header: { name: `${path}/`, type } };
  if (type === 'symlink') return { header: { name: path, type, linkName: '/proc/mounts' } };
  return {
    header: { name: path, type, mode: path === '.dockerenv' || path === 'dev/console' ? 0o755 : 0o644 },
    body: Buffer.alloc(0),
  };
}

/** Gives the chain that a container of an image stands on; made at the image's first container. */
export class InitLayers {
  readonly #layers: LayerStore;
  readonly #known = new Map<string, Promise<string>>();
  constructor(layers: LayerStore) {
    this.#layers = layers;
  }

  /** The caller holds the chain; the lease holds what is returned. */
  async over(chainId: string | undefined, lease: Lease): Promise<string> {
    const key = chainId ?? '';
    const known = await this.#known.get(key);
    if (known !== undefined) lease.add(known);
    if (known !== undefined && this.#layers.get(known) !== undefined) return known;
    const made = this.#make(chainId, lease).catch((error: unknown) => {
      this.#known.delete(key);
      throw error;
    });
    this.#known.set(key, made);
    return made;
  }

  async #make(chainId: string | undefined, lease: Lease): Promise<string> {
    const probe = `init-${process.hrtime.bigint()}`;
    await this.#layers.createSnapshot(probe, { parent: chainId, owner: 'container' });
    try {
      const { lower } = this.#layers.paths(probe);
      const links = ENTRIES.filter(([path]) => find(lower, path)?.isSymbolicLink() === true);
      // A link that leads nowhere gives way to what is missing, or the mount would make its target in the container.
      const dangling = links.length === 0 ? [] : danglingIn(await this.#layers.mount(probe), links);
      const missing = ENTRIES.filter(([path]) => find(lower, path) === undefined || dangling.includes(path));
      const layer = await this.#layers.unpack(
        async () => writeTar(missing.map(([path, type]) => item(path, type))),
        lease,
        { parent: chainId },
      );
      return layer.chainId;
    } finally {
      await this.#layers.removeSnapshot(probe);
    }
  }
}
