import type { Filters } from '../common/index.ts';
import type { CreateVolumeBody, Volume } from '../wire/index.ts';

/** For whom a volume is mounted: what the event `mount` tells. */
export interface MountFor {
  destination: string;
  readWrite: boolean;
  propagation: string;
}

/**
 * Who has a volume mounted. A container may have one at several places; each is a use of its own. The daemon's own looks name no place.
 */
export interface MountUser {
  id: string;
  destination?: string;
}

/**
 * Volumes: directories that outlive containers. `local` lives at `volumes/<name>/_data`; other drivers are plugins.
 *
 * - A *hold* is one container's use of a volume, from its creation to its removal. A *mount* is its use by a run, from start to end. Both are
 *   in the database, so counts are right after a crash.
 * - Life of a local volume: `create` records it and makes its directory; with options, its file system is mounted there with the first mount
 *   and unmounted with the last; `remove` takes the directory out of sight, forgets it, and then deletes.
 */
export interface VolumeStore {
  /** An existing volume of that name and driver is the answer, whatever its labels and options. */
  create(body: CreateVolumeBody): Promise<Volume>;
  /** Throws not-found: `get NAME: no such volume`. */
  inspect(name: string): Promise<Volume>;
  find(name: string): Volume | undefined;
  list(filters: Filters): Promise<{ Volumes: Volume[]; Warnings: string[] }>;
  remove(name: string, options: { force?: boolean }): Promise<void>;
  prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
  /** An anonymous volume has a 64-digit name and the label `com.docker.volume.anonymous`. */
  isAnonymous(name: string): boolean;
  /** True for one of the driver `local` without options: nothing is mounted for its use. */
  isDirectory(name: string): boolean;
  hold(name: string, containerId: string): void;
  release(name: string, containerId: string): void;
  holders(name: string): string[];
  /** Drops holds and mounts of containers that are no more, and what a broken removal left. */
  reconcile(containerExists: (id: string) => boolean): Promise<void>;
  /**
   * Makes the volume's directory usable (a driver may mount); returns the host path. Paired with `unmount`. Events are emitted for a container
   * (with `about`), not for the daemon's own looks into a volume.
   */
  mount(name: string, user: MountUser, about?: MountFor): Promise<string>;
  /** Without a destination: all uses by that id. */
  unmount(name: string, user: MountUser): Promise<void>;
  /**
   * Fills an empty directory `into` of a mounted volume from the directory that `from` gives, if it is empty and that gives one: content,
   * owner, mode; once, also when two ask at the same moment. A fill that a crash broke off is done again.
   */
  populate(name: string, into: string, from: () => Promise<string | undefined>): Promise<void>;
  /** Every volume with its size (-1 for one of a plugin) and the number of containers that hold it. */
  usage(): Promise<Volume[]>;
}
