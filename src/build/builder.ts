import { join } from 'node:path';
import { cancelled, invalid, shortId } from '../common/index.ts';
import { type Dockerfile, parseDockerfile, type Stage, substitute } from '../dockerfile/index.ts';
import type { Image } from '../images/index.ts';
import { familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import type { BuildChecks, Platform } from '../wire/index.ts';
import { globalArguments, platformArgs, unusedArguments } from './arguments.ts';
import { findBase, fromFlag, parsePlatform } from './base-images.ts';
import { BuildDirectory } from './build-directory.ts';
import { BuildRun } from './build-run.ts';
import type { StepCache } from './cache.ts';
import { cacheImages } from './cache-images.ts';
import type { CacheMounts } from './cache-mounts.ts';
import { checksOf, checksReport, refuseViolations } from './checks.ts';
import { receiveContext } from './context.ts';
import type { Flights, Gate } from './flights.ts';
import { neededStages, stageNamed, targetStage } from './graph.ts';
import { classicLanes, eventLanes, type Lane, type LaneMaker, silentLanes } from './messages.ts';
import { type BuildParameters, readParameters } from './parameters.ts';
import type { SecretBox } from './secret-box.ts';
import { BuildSession } from './session.ts';
import { squashed } from './squash.ts';
import { StageRun } from './stage-run.ts';
import { emptyState, idOf, imageConfigOf, type StageState, stateOfImage } from './stage-state.ts';
import type { BuilderParts, BuildService } from './types.ts';

export interface BuilderState {
  parts: BuilderParts;
  cache: StepCache;
  flights: Flights;
  gate: Gate;
  /** Directory of builds under way. */
  builds: string;
  cacheMounts: CacheMounts;
  secrets: SecretBox;
  /** Mount points of what clients lend their builds. */
  sessions: string;
}

type BuildOptions = Parameters<BuildService['build']>[0];

/** One build, from the request to the named image. */
export async function buildImage(builder: BuilderState, options: BuildOptions): Promise<void> {
  const parameters = readParameters(options.params);
  const tags = parameters.tags.map(tagName);
  const directory = new BuildDirectory(builder.builds);
  const keep = builder.parts.images.keep();
  // The first failure stops the other stages.
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const session = new BuildSession(builder.sessions, builder.secrets.take(parameters.buildId), parameters.agents);
  try {
    const context = await receiveContext(
      builder.parts.images,
      { remote: parameters.remote, dockerfile: parameters.dockerfile, source: options.context },
      async () => join(await directory.path(), 'context'),
      signal,
    );
    const own = builder.parts.images.defaultPlatform;
    const target = parameters.platform === undefined ? own : parsePlatform(parameters.platform, own);
    const platform = platformArgs(own, target, parameters.target || undefined);
    const checking = {
      images: builder.parts.images,
      options: parameters.buildArgs.get('BUILDKIT_DOCKERFILE_CHECK'),
      platformArgs: platform,
      isIgnored: (path: string) => context.ignores?.excludes(path) === true,
    };
    if (parameters.checks === 'only') {
      options.onMessage({ aux: { Checks: checksReport(context.dockerfile, parameters.dockerfile, checking) } });
      return;
    }
    const file = parseDockerfile(context.dockerfile);
    const last = file.stages.at(-1)?.name;
    if (!parameters.target && last !== undefined) platform.set('TARGETSTAGE', last);
    const checked = checksOf(context.dockerfile, checking, file);
    if (parameters.checks === 'tell') {
      const { warnings } = checked;
      const report: BuildChecks = { filename: parameters.dockerfile, source: context.dockerfile, warnings };
      options.onMessage({ aux: { Checks: report } });
    }
    refuseViolations(checked);
    const pull = (name: string) =>
      findBase(
        {
          images: builder.parts.images,
          registryConfig: options.registryConfig,
          pullAlways: false,
          send: () => {},
          signal,
        },
        name,
        undefined,
      );
    const cached = await cacheImages(
      builder.parts,
      keep,
      parameters.cacheFrom,
      parameters.pullCache ? pull : undefined,
    );
    signal.throwIfAborted();
    const epoch = parameters.buildArgs.get('SOURCE_DATE_EPOCH');
    if (epoch !== undefined && !/^\d+$/.test(epoch)) throw invalid(`invalid SOURCE_DATE_EPOCH: ${epoch}`);
    const solver: Solver = new Solver(
      { builder, parameters, file, options, stop, target: parameters.platform === undefined ? undefined : target },
      (stateOf) =>
        new BuildRun({
          parts: builder.parts,
          parameters,
          file,
          context,
          cache: builder.cache,
          flights: builder.flights,
          gate: builder.gate,
          globals: globalArguments(file, parameters.buildArgs, platform),
          platformArgs: platform,
          keep,
          signal,
          session,
          epoch: epoch === undefined ? undefined : Number(epoch),
          directory,
          cacheMounts: builder.cacheMounts,
          images: cached,
          stateOf,
        }),
    );
    const state = await solver.solve();
    if (options.signal.aborted) throw cancelled('build cancelled');
    // Builds of one image at the same time: the first records it, the others name it.
    const release = await builder.flights.lock(`image ${idOf(state)}`, signal);
    try {
      await finish(builder, { parameters, file, options, tags }, state);
    } finally {
      release();
    }
    builder.cache.touch(solver.run.used);
  } finally {
    session.close();
    keep.end();
    await directory.remove();
  }
}

function tagName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw invalid('build tag cannot contain a digest');
  return familiarString(withDefaultTag(reference));
}

async function finish(
  { parts: { images, emit } }: BuilderState,
  {
    parameters,
    file,
    options,
    tags,
  }: { parameters: BuildParameters; file: Dockerfile; options: BuildOptions; tags: string[] },
  state: StageState,
): Promise<void> {
  const id = idOf(state);
  let image: Image | undefined = images.find(id);
  const isNew = image === undefined;
  if (image === undefined)
    image = await images.create({ config: imageConfigOf(state), layers: [...state.layers], tags });
  else for (const tag of tags) if (images.find(tag)?.id !== image.id) await images.tag(image.id, tag);
  const say = (text: string) => {
    if (!parameters.quiet) options.onMessage({ stream: text });
  };
  if (parameters.quiet) options.onMessage({ stream: `${image.id}\n` });
  if (parameters.tellNew) options.onMessage({ aux: { ID: image.id, New: isNew } });
  else if (!parameters.quiet) options.onMessage({ aux: { ID: image.id } });
  const unused = unusedArguments(file, parameters.buildArgs);
  if (unused.length > 0) say(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n`);
  say(`Successfully built ${shortId(image.id)}\n`);
  for (const tag of tags) say(`Successfully tagged ${tag}\n`);
  emit('build', { 'image.id': image.id });
}

function lanesFor({ quiet, stepEvents }: BuildParameters, send: BuildOptions['onMessage']): LaneMaker {
  if (quiet) return silentLanes();
  return stepEvents ? eventLanes(send) : classicLanes(send);
}

interface SolverParts {
  builder: BuilderState;
  parameters: BuildParameters;
  file: Dockerfile;
  options: BuildOptions;
  stop: AbortController;
  /** The caller's platform. */
  target: Platform | undefined;
}

/** Runs the stages that the target needs, each as soon as what it stands on is there. */
class Solver {
  readonly #parts: SolverParts;
  readonly #messages: LaneMaker;
  readonly #stages = new Map<number, Promise<StageRun>>();
  readonly #images = new Map<string, Promise<StageState>>();
  readonly #lanes = new Map<number, Lane>();
  readonly run: BuildRun;
  #firsts = new Map<number, number>();
  #total = 0;

  constructor(parts: SolverParts, makeRun: (stateOf: BuildRun['stateOf']) => BuildRun) {
    this.#parts = parts;
    this.#messages = lanesFor(parts.parameters, parts.options.onMessage);
    this.run = makeRun((name, before) => this.#stateOf(name, before));
  }

  #baseOf(stage: Stage): string {
    return substitute(stage.base, { lookup: this.run.globals.lookup, escape: this.#parts.file.directives.escape });
  }

  async solve(): Promise<StageState> {
    const { file, parameters, stop } = this.#parts;
    const target = targetStage(file, parameters.target);
    const needed = neededStages(file, target, (stage) => this.#baseOf(stage));
    // Each label of the caller is an instruction of its own at the end, in a repeatable order.
    const labels = Object.keys(parameters.labels).sort();
    let number = file.metaArgs.length;
    for (const stage of needed) {
      this.#firsts.set(stage.index, number + 1);
      number += 1 + stage.instructions.length;
    }
    this.#total = number + labels.length;
    const total = this.#total;
    this.#messages.globals(file.metaArgs.map(({ original }, index) => ({ number: index + 1, total, text: original })));
    for (const stage of needed) this.#lanes.set(stage.index, this.#messages.lane(stage.name ?? `stage-${stage.index}`));
    const running = needed.map((stage) =>
      this.#stage(stage).catch((error: unknown) => {
        stop.abort(error);
        throw error;
      }),
    );
    const results = await Promise.allSettled(running);
    const failure = this.#failure(results);
    if (failure !== undefined) throw failure;
    const last = await this.#stage(target);
    for (const [index, key] of labels.entries())
      await last.label(key, parameters.labels[key] ?? '', number + index + 1);
    const state = last.state;
    if (state.layers.length === 0 && state.history.length === 0 && state.imageId === undefined)
      throw invalid('No image was generated. Is your Dockerfile empty?');
    return parameters.squash ? await squashed(this.run, state, last.base) : state;
  }

  /** The error that came first; the others were stopped because of it. */
  #failure(results: readonly PromiseSettledResult<unknown>[]): Error | undefined {
    if (this.#parts.options.signal.aborted) return cancelled('build cancelled');
    const reason: unknown = this.#parts.stop.signal.aborted
      ? this.#parts.stop.signal.reason
      : results.find((result) => result.status === 'rejected')?.reason;
    return reason === undefined ? undefined : reason instanceof Error ? reason : new Error(String(reason));
  }

  #stage(stage: Stage): Promise<StageRun> {
    const known = this.#stages.get(stage.index) ?? this.#runStage(stage);
    this.#stages.set(stage.index, known);
    return known;
  }

  async #runStage(stage: Stage): Promise<StageRun> {
    const lane = this.#lanes.get(stage.index)!;
    try {
      const first = this.#firsts.get(stage.index)!;
      const { base, inherited } = await this.#base(stage, lane, () => {
        lane.begin({ number: first, total: this.#total, text: stage.original });
      });
      lane.end(base.imageId === undefined && base.history.length === 0 ? '' : shortId(idOf(base)));
      const stageRun = new StageRun(this.run, stage, lane, base, { first, total: this.#total }, inherited?.args);
      await stageRun.all();
      return stageRun;
    } finally {
      lane.done();
    }
  }

  async #base(stage: Stage, lane: Lane, announce: () => void): Promise<{ base: StageState; inherited?: StageRun }> {
    const { builder, parameters, file, options, target } = this.#parts;
    const name = this.#baseOf(stage);
    if (name === '') {
      announce();
      throw invalid(`base name (${stage.base}) should not be blank`);
    }
    const earlier = stageNamed(file, name, stage.index);
    if (earlier !== undefined) {
      const inherited = await this.#stage(earlier);
      announce();
      return { base: { ...inherited.state, cmdSet: false }, inherited };
    }
    announce();
    const own = builder.parts.images.defaultPlatform;
    const wanted = stage.platform === undefined ? '' : substitute(stage.platform, { lookup: this.run.globals.lookup });
    const platform = wanted === '' ? target : parsePlatform(wanted, own);
    if (name === 'scratch') return { base: emptyState(platform ?? own) };
    const parts = {
      images: builder.parts.images,
      registryConfig: options.registryConfig,
      pullAlways: parameters.pull,
      send: lane.send,
      signal: this.run.signal,
    };
    return { base: await stateOfImage(await findBase(parts, name, platform), builder.parts.content, this.run.keep) };
  }

  /** COPY --from and mounts: an earlier stage, or an image. */
  async #stateOf(name: string, before: number): Promise<StageState> {
    const { builder, parameters, file, options } = this.#parts;
    const stage = stageNamed(file, name, before);
    if (stage !== undefined) return (await this.#stage(stage)).state;
    if (/^\d+$/.test(name)) throw fromFlag(name, invalid('index out of bounds'));
    const lane = this.#lanes.get(before)!;
    const find = async () => {
      try {
        const parts = {
          images: builder.parts.images,
          registryConfig: options.registryConfig,
          pullAlways: parameters.pull,
          send: lane.send,
          signal: this.run.signal,
        };
        return await stateOfImage(await findBase(parts, name, undefined), builder.parts.content, this.run.keep);
      } catch (error) {
        if (this.run.signal.aborted) throw error;
        throw fromFlag(name, error);
      }
    };
    const known = this.#images.get(name) ?? find();
    this.#images.set(name, known);
    return known;
  }
}
