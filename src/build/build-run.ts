import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { nowText } from '../common/index.ts';
import { type Dockerfile, IgnoreMatcher } from '../dockerfile/index.ts';
import type { Keep } from '../images/index.ts';
import type { GlobalArguments } from './arguments.ts';
import type { BuildDirectory } from './build-directory.ts';
import type { StepCache } from './cache.ts';
import type { CacheMounts } from './cache-mounts.ts';
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
  readonly directory: BuildDirectory;
  readonly cacheMounts: CacheMounts;
  /** Of `cachefrom`. */
  readonly images: readonly StageState[];
  /** Cache records that this build took. */
  readonly used = new Set<string>();
  /** A stage (name, number) or an image as COPY --from and FROM see it from stage `before`. */
  readonly stateOf: (name: string, before: number) => Promise<StageState>;
  readonly #digests = new Map<string, Promise<string>>();

  constructor(given: Omit<BuildRun, 'used' | 'scratch' | 'contextDigest' | 'localDigest' | 'now' | 'cacheLock'>) {
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
  async scratch(): Promise<string> {
    return mkdtemp(join(await this.directory.path(), 'scratch-'));
  }

  /** Digest of what a path of the context leads to. */
  async contextDigest(path: string): Promise<string> {
    const digests = [];
    const { root } = this.context;
    for (const source of selectSources(path, { instruction: 'COPY', root, fromContext: true, deep: false }))
      digests.push(await this.localDigest(source.path));
    return digests.join();
  }

  /** Digest of a file or tree of the context, computed once, or of one made for this build. Without what `exclude` matches. */
  async localDigest(path: string, exclude: readonly string[] = []): Promise<string> {
    const { root, digests, digestOf } = this.context;
    const matcher = exclude.length === 0 ? undefined : new IgnoreMatcher(exclude);
    const excluded = matcher === undefined ? undefined : (name: string) => matcher.excludes(name);
    const options = { ownerCounts: false, excluded, signal: this.signal };
    if (path !== root && !path.startsWith(`${root}/`)) return treeDigest(path, options);
    const key = JSON.stringify([path.slice(root.length), exclude]);
    const known = digests.get(key);
    if (known !== undefined) return known;
    const work = this.#digests.get(key) ?? treeDigest(path, { ...options, digestOf });
    this.#digests.set(key, work);
    const digest = await work;
    digests.set(key, digest);
    return digest;
  }

  /** When what is made now was made. */
  now(): string {
    return this.epoch === undefined ? nowText() : new Date(this.epoch * 1000).toISOString().replace('.000Z', 'Z');
  }

  /** Waits until nobody else has this cache directory; undefined: nobody need wait. */
  cacheLock(name: string | undefined): Promise<() => void> {
    return name === undefined ? Promise.resolve(() => {}) : this.flights.lock(name, this.signal);
  }
}
