import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dockerfile } from '../dockerfile/index.ts';
import type { Keep } from '../images/index.ts';
import type { GlobalArguments } from './arguments.ts';
import type { StepCache } from './cache.ts';
import type { BuildContext } from './context.ts';
import type { Flights, Gate } from './flights.ts';
import type { BuildParameters } from './parameters.ts';
import type { BuildSession } from './session.ts';
import { selectSources } from './sources.ts';
import type { StageState } from './stage-state.ts';
import { treeDigest } from './tree-digest.ts';
import type { BuilderParts } from './types.ts';

/** What all stages of one build share. */
export class BuildRun {
  readonly parts: BuilderParts;
  readonly parameters: BuildParameters;
  readonly file: Dockerfile;
  readonly context: BuildContext;
  readonly cache: StepCache;
  readonly flights: Flights;
  readonly gate: Gate;
  readonly globals: GlobalArguments;
  readonly platformArgs: ReadonlyMap<string, string>;
  /** All that the build stands on and has made. */
  readonly keep: Keep;
  readonly signal: AbortSignal;
  readonly session: BuildSession;
  /** Seconds; `SOURCE_DATE_EPOCH`. */
  readonly epoch: number | undefined;
  readonly directory: string;
  /** Directories of `RUN --mount=type=cache`, which outlive builds. */
  readonly cacheMounts: string;
  /** Of `cachefrom`. */
  readonly images: readonly StageState[];
  /** Cache records that this build took. */
  readonly used = new Set<string>();
  /** A stage (name, number) or an image as COPY --from and FROM see it from stage `before`. */
  readonly stateOf: (name: string, before: number) => Promise<StageState>;
  readonly #digests = new Map<string, Promise<string>>();

  constructor(given: Omit<BuildRun, 'used' | 'scratch' | 'contextDigest' | 'cacheLock'>) {
    this.parts = given.parts;
    this.parameters = given.parameters;
    this.file = given.file;
    this.context = given.context;
    this.cache = given.cache;
    this.flights = given.flights;
    this.gate = given.gate;
    this.globals = given.globals;
    this.platformArgs = given.platformArgs;
    this.keep = given.keep;
    this.signal = given.signal;
    this.session = given.session;
    this.epoch = given.epoch;
    this.directory = given.directory;
    this.cacheMounts = given.cacheMounts;
    this.images = given.images;
    this.stateOf = given.stateOf;
  }

  /** A fresh directory that goes with the build. */
  scratch(): Promise<string> {
    return mkdtemp(join(this.directory, 'scratch-'));
  }

  /** Digest of a path of the context, computed once. */
  contextDigest(path: string, excluded?: { key: string; matches: (path: string) => boolean }): Promise<string> {
    const key = JSON.stringify([path, excluded?.key]);
    const known = this.#digests.get(key) ?? this.#contextDigest(path, excluded?.matches);
    this.#digests.set(key, known);
    return known;
  }

  async #contextDigest(path: string, excluded?: (path: string) => boolean): Promise<string> {
    const found = selectSources('COPY', this.context.root, path, true);
    const digests = [];
    for (const source of found)
      digests.push(await treeDigest(source.path, { ownerCounts: false, excluded, signal: this.signal }));
    return digests.join();
  }

  /** Waits until nobody else has this cache directory; undefined: nobody need wait. */
  cacheLock(name: string | undefined): Promise<() => void> {
    return name === undefined ? Promise.resolve(() => {}) : this.flights.lock(name, this.signal);
  }
}
