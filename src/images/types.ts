import type { Readable } from 'node:stream';
import type { Filters } from '../common/index.ts';
import type { Reply } from '../registry/index.ts';
import type {
  ContainerConfig,
  ImageConfig,
  ImageDeleteItem,
  ImageSummary,
  Platform,
  Progress,
  RegistryAuth,
} from '../wire/index.ts';
import type { Cleaned } from './gc.ts';
import type { GcPolicy } from './gc-policy.ts';
import type { Keep } from './keeping.ts';

/**
 * An image is a configuration blob (its digest is the image's id) plus the chain of layers that it names. References are
 * names that point at an image: `repo:tag`, and `repo@digest` (what a registry called it).
 */
export interface Image {
  /** `sha256:…`, the digest of the config blob. */
  id: string;
  config: ImageConfig;
  /** Chain id of the top layer; undefined for an image without layers. */
  chainId: string | undefined;
  diffIds: string[];
  /** Digest of the manifest blob in content: every image has one (made when it was loaded, imported, committed or built). */
  manifestDigest: string;
  repoTags: string[];
  repoDigests: string[];
}

/** Who else uses images; the engine gives this, so that images never asks containers. */
export interface ImageUsers {
  /** Containers that use the image. */
  containersOf(imageId: string): { id: string; name: string; running: boolean }[];
}

export interface NewImage {
  config: ImageConfig;
  /** Layers bottom to top, each already unpacked (chain) and its archive in content. */
  layers: { diffId: string; chainId: string; digest: string; size: number; mediaType: string }[];
  /** Names `repo:tag` to give it, moved from other images if taken. */
  tags?: string[];
  parentId?: string;
}

export interface ImageStore {
  /**
   * By id, prefix, name, name@digest. Throws not-found `No such image: …`, also for one that does not run on the platform asked for
   * (`linux/arm64`), conflict on an ambiguous prefix, invalid for what is no platform.
   */
  resolve(ref: string, platform?: string): Image;
  find(ref: string): Image | undefined;
  all(): Image[];
  list(options: { all?: boolean; filters: Filters; sharedSize?: boolean }): Promise<ImageSummary[]>;
  /** `GET /images/{name}/json` answer. */
  inspect(ref: string): Promise<Record<string, unknown>>;
  history(
    ref: string,
  ): Promise<
    { Id: string; Created: number; CreatedBy: string; Tags: string[] | null; Size: number; Comment: string }[]
  >;
  tag(source: string, target: string): Promise<void>;
  remove(ref: string, options: { force?: boolean; prune?: boolean }): Promise<ImageDeleteItem[]>;
  prune(filters: Filters): Promise<{ ImagesDeleted: ImageDeleteItem[]; SpaceReclaimed: number }>;
  /** Writes manifest and config into content, records the image, tags it. Emits no event but `tag`. Throws conflict if a layer or blob is gone. */
  create(image: NewImage): Promise<Image>;
  /** Opens any URL in the way registries are reached: by the same proxies and certificates. Throws in dockerd's words. */
  openUrl(url: string, signal: AbortSignal): Promise<Reply>;
  /** Parent of a locally built or committed image. */
  parentOf(id: string): string | undefined;
  load(
    archive: Readable,
    options: { progress: Progress; quiet?: boolean; signal: AbortSignal; platform?: string },
  ): Promise<void>;
  save(refs: string[], options: { signal: AbortSignal; platform?: string }): Readable;
  importArchive(
    archive: Readable,
    options: {
      repo?: string;
      tag?: string;
      message?: string;
      changes?: string[];
      platform?: string;
      signal: AbortSignal;
      source: string;
    },
  ): Promise<Image>;
  /** A container's snapshot as a new image: its changes are one new layer over the parent image. */
  commit(options: {
    snapshotId: string;
    parentImageId: string | undefined;
    config: ContainerConfig;
    repo?: string;
    tag?: string;
    author?: string;
    comment?: string;
    createdBy: string;
    signal: AbortSignal;
  }): Promise<Image>;
  pull(options: {
    /** A reference. Without tag and digest it is `latest`, or every tag of the repository with `all`. */
    image: string;
    tag?: string;
    all?: boolean;
    platform?: string;
    auth?: RegistryAuth;
    progress: Progress;
    signal: AbortSignal;
  }): Promise<void>;
  push(options: {
    image: string;
    tag?: string;
    platform?: string;
    auth?: RegistryAuth;
    progress: Progress;
    signal: AbortSignal;
  }): Promise<void>;
  search(options: {
    term: string;
    limit?: number;
    filters: Filters;
    auth?: RegistryAuth;
    signal: AbortSignal;
  }): Promise<unknown[]>;
  /** Checks credentials against a registry. */
  login(auth: RegistryAuth, signal: AbortSignal): Promise<{ Status: string; IdentityToken: string }>;
  /** `GET /distribution/{name}/json`. */
  distribution(ref: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<unknown>;
  /** Deletes content and layers that no image, snapshot or lease needs; content only if it came so long ago. Bytes of both. */
  collect(options?: { olderThanMs?: number }): Promise<{ bytes: number }>;
  /** One clean-up by a policy; `startGc` does it now and then. Emits what it did. */
  clean(policy: GcPolicy): Promise<Cleaned>;
  /** Keeps blobs and layers from collection while work runs that is about to make an image of them. */
  keep(): Keep;
  diskUsage(): Promise<{ layersSize: number; images: ImageSummary[] }>;
  readonly defaultPlatform: Platform;
  /** Closes connections to registries. */
  close(): Promise<void>;
}
