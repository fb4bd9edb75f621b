import type { Filters } from '../common/index.ts';
import type { CreateVolumeBody, Volume } from '../wire/index.ts';

/**
 * Volumes: directories that outlive containers. `local` lives at `volumes/<name>/_data`; other drivers are plugins.
 * A *hold* is one container's use of a volume: in the database, so counts are right after a crash.
 */
export interface VolumeStore {
  create(body: CreateVolumeBody): Promise<Volume>;
  /** Throws not-found: `get NAME: no such volume`. */
  inspect(name: string): Promise<Volume>;
  find(name: string): Volume | undefined;
  list(filters: Filters): Promise<{ Volumes: Volume[]; Warnings: string[] }>;
  remove(name: string, options: { force?: boolean }): Promise<void>;
  prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
  /** An anonymous volume has a 64-digit name and the label `com.docker.volume.anonymous`. */
  isAnonymous(name: string): boolean;
  hold(name: string, containerId: string): void;
  release(name: string, containerId: string): void;
  holders(name: string): string[];
  /** Drops holds of containers that are no more. */
  reconcile(containerExists: (id: string) => boolean): Promise<void>;
  /** Makes the volume's directory usable (a driver may mount); returns the host path. Paired with `unmount`. */
  mount(name: string, containerId: string): Promise<string>;
  unmount(name: string, containerId: string): Promise<void>;
  /** Fills an empty, never-filled volume from a directory: content, owner, mode; once, also when two ask at the same moment. */
  populate(name: string, fromDirectory: string, signal?: AbortSignal): Promise<void>;
  /** Every volume with its size (-1 for one of a plugin) and the number of containers that hold it. */
  usage(): Promise<Volume[]>;
}
