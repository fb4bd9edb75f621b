import type { Readable } from 'node:stream';
import type { Filters, Logger } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { ImageStore } from '../images/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { Database } from '../state/index.ts';
import type { MissingFiles } from '../wire/index.ts';
import type { CacheLimits } from './cache-limits.ts';
import type { KeptContext } from './kept/contexts.ts';

/**
 * Builds: a Dockerfile and a context become an image.
 *
 * The context is unpacked into a directory of this build; the Dockerfile is parsed (room `dockerfile`); the stages that the target
 * needs run at the same time, each one instruction after the other. An instruction that changes files is run over a snapshot, whose
 * changes become a layer; all others change the configuration only. What an instruction made is remembered under its key, so that
 * the same instruction over the same state is not run again. Nothing of a build stays but its cache records, its image and its names.
 */

/**
 * The builder runs a step's process through this, which the engine gives; so the solver knows neither conmon nor networks.
 */
export interface StepRunner {
  /** Runs to the end; the exit code is the answer. Abort kills the process and leaves nothing. */
  run(step: {
    /** Mounted root directory, writable. */
    rootfs: string;
    args: string[];
    env: string[];
    cwd: string;
    user: string;
    /** `default`, `none`, `host` or a network name. */
    network: string;
    privileged: boolean;
    extraHosts: string[];
    hostname: string;
    mounts: StepMount[];
    shmSizeBytes?: number;
    ulimits: { Name: string; Soft: number; Hard: number }[];
    resources: Record<string, number | string>;
    cgroupParent?: string;
    onOutput: (chunk: { stream: 1 | 2; data: Buffer }) => void;
    signal: AbortSignal;
  }): Promise<number>;
}

export interface StepMount {
  type: 'bind' | 'tmpfs';
  source?: string;
  target: string;
  readonly: boolean;
  options?: string[];
}

/** Where a build's context comes from; read at most once. */
export type ContextSource = Readable | KeptContext;

/** The use cases of the API. */
export interface BuildService {
  /** Throws invalid before the first message; what fails later is thrown too, and the API makes it the stream's last message. */
  build(options: {
    /** The query string, as it came. */
    params: Record<string, string | string[]>;
    context: ContextSource;
    registryConfig: Record<string, unknown>;
    signal: AbortSignal;
    onMessage: (message: Record<string, unknown>) => void;
  }): Promise<void>;
  /** A directory's files, of which only those come that are not here (`wire/build-files.ts`). The caller ends its use. */
  receiveFiles(options: {
    buildId: string;
    content: Readable;
    signal: AbortSignal;
  }): Promise<{ missing: MissingFiles } | { context: KeptContext }>;
  /** Lends the next build of this id a secret, of at most 500 KiB; forgotten at that build's end, or if none comes. */
  addSecret(options: { buildId: string; id: string; content: Readable }): Promise<void>;
  /** The file system of an image as a tar. */
  tree(options: { image: string; signal: AbortSignal }): Readable;
  prune(options: {
    all: boolean;
    limits?: CacheLimits;
    filters: Filters;
  }): Promise<{ CachesDeleted: string[]; SpaceReclaimed: number }>;
  diskUsage(): Promise<Record<string, unknown>[]>;
  /** Cancels what is under way and waits until its steps, mounts and files are gone; later builds are refused. Idempotent. */
  close(): Promise<void>;
}

export interface BuilderParts {
  db: Database;
  layers: LayerStore;
  content: ContentStore;
  images: ImageStore;
  runner: StepRunner;
  dataRoot: string;
  execRoot: string;
  log: Logger;
  /** Events of type `builder`. */
  emit: (action: string, attributes: Record<string, string>) => void;
}

/** A layer of an image being built. */
export interface BuiltLayer {
  diffId: string;
  chainId: string;
  digest: string;
  /** Bytes of the archive. */
  size: number;
  mediaType: string;
}
