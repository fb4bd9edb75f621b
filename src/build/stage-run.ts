import { newId, shortId } from '../common/index.ts';
import { type Instruction, parseTrigger, type Stage, substitute } from '../dockerfile/index.ts';
import { applyMetadata, chainIds } from '../images/index.ts';
import { StageArguments } from './arguments.ts';
import type { BuildRun } from './build-run.ts';
import { type CachedStep, keyOf } from './cache.ts';
import { takeFrom } from './cache-images.ts';
import { copyStep } from './copy-step.ts';
import { layerOver } from './layer-step.ts';
import type { Lane } from './messages.ts';
import { runStep } from './run-step.ts';
import { after, chainOf, createdWithout, idOf, type StageState, withPath } from './stage-state.ts';
import type { BuiltLayer } from './types.ts';
import { workdirStep } from './workdir-step.ts';

/** Gives numbers to steps over all stages. */
export interface Steps {
  total: number;
  /** Number of this stage's FROM. */
  first: number;
}

/** An instruction that changes files, ready to be looked up and done. */
export interface FileStep {
  /** All that its result depends on but the file system below it. */
  key: unknown[];
  /** Of its cache record. */
  description: string;
  /** Of its history entry. */
  createdBy: string;
  config: StageState['config'];
  /** Is a container in the classic builder's eyes: tells "Running in". */
  container: boolean;
  /** What its layer depends on if what is below does not count (`--link`): then it is taken from the cache also over another base. */
  independentKey?: () => Promise<unknown[] | undefined>;
  perform: (id: string, options: { independent: boolean }) => Promise<BuiltLayer | undefined>;
}

/** Runs one stage's instructions, each over what the former made. */
export class StageRun {
  readonly run: BuildRun;
  readonly stage: Stage;
  readonly lane: Lane;
  readonly args: StageArguments;
  /** What FROM gave. */
  readonly base: StageState;
  readonly #steps: Steps;
  readonly #noCache: boolean;
  #state: StageState;

  constructor(
    run: BuildRun,
    stage: Stage,
    lane: Lane,
    base: StageState,
    steps: Steps,
    inherited: StageArguments | undefined,
  ) {
    this.run = run;
    this.stage = stage;
    this.lane = lane;
    this.base = base;
    this.#steps = steps;
    this.#state = withPath(base);
    const { parameters, globals, platformArgs, images } = run;
    this.args = new StageArguments(parameters.buildArgs, globals.values, platformArgs, inherited);
    const filter = parameters.noCacheFilter;
    // As in dockerd's classic builder: who names images to take steps from, none of which is here, wants no others.
    const noImages = parameters.cacheFrom.length > 0 && images.length === 0 && !parameters.pullCache;
    this.#noCache =
      noImages ||
      parameters.noCache ||
      filter.includes(String(stage.index)) ||
      (stage.name !== undefined && filter.includes(stage.name));
  }

  get state(): StageState {
    return this.#state;
  }
  get escape(): string {
    return this.run.file.directives.escape;
  }

  /** The value of a variable: the environment first, then declared arguments. */
  readonly lookup = (name: string): string | undefined => {
    const pair = this.#state.config.Env?.find((item) => item.startsWith(`${name}=`));
    return pair === undefined ? this.args.value(name) : pair.slice(name.length + 1);
  };
  readonly replace = (text: string): string => substitute(text, { lookup: this.lookup, escape: this.escape });

  async all(): Promise<StageState> {
    await this.#triggers();
    for (const [index, instruction] of this.stage.instructions.entries()) {
      this.run.signal.throwIfAborted();
      const { first, total } = this.#steps;
      this.lane.begin({ number: first + 1 + index, total, text: instruction.original });
      await this.#one(instruction);
    }
    return this.#state;
  }

  async #triggers(): Promise<void> {
    const triggers = this.#state.config.OnBuild ?? [];
    if (triggers.length === 0) return;
    this.lane.note(`# Executing ${triggers.length} build trigger${triggers.length === 1 ? '' : 's'}`);
    this.#state = {
      ...this.#state,
      config: { ...this.#state.config, OnBuild: undefined },
      key: keyOf(this.#state.key, 'onbuild'),
    };
    for (const trigger of triggers) await this.#one(parseTrigger(trigger));
  }

  async #one(instruction: Instruction): Promise<void> {
    switch (instruction.name) {
      case 'RUN':
        return this.#files(await runStep(this, instruction));
      case 'COPY':
      case 'ADD':
        return this.#files(await copyStep(this, instruction));
      case 'WORKDIR':
        return this.#files(workdirStep(this, this.replace(instruction.value)));
      case 'ARG': {
        for (const { name, value } of instruction.args)
          this.args.declare(name, value === undefined ? undefined : this.replace(value));
        return this.#metadata(
          `ARG ${instruction.args.map(({ name, value }) => (value === undefined ? name : `${name}=${this.replace(value)}`)).join(' ')}`,
          {},
        );
      }
      default: {
        const { lookup, escape } = this;
        const change = applyMetadata(instruction, {
          config: this.#state.config,
          lookup,
          escape,
          cmdSet: this.#state.cmdSet,
        });
        if (change === undefined) throw new Error(`no such instruction: ${instruction.name}`);
        const cmdSet = this.#state.cmdSet || instruction.name === 'CMD';
        return this.#metadata(change.text, {
          config: change.config,
          cmdSet,
          ...(change.author === undefined ? {} : { author: change.author }),
        });
      }
    }
  }

  /** A label of the caller, as an instruction after the file's. */
  label(key: string, value: string, step: number): Promise<void> {
    const text = `LABEL ${key}=${value}`;
    this.lane.begin({ number: step, total: this.#steps.total, text });
    return this.#metadata(text, {
      config: { ...this.#state.config, Labels: { ...this.#state.config.Labels, [key]: value } },
    });
  }

  async #metadata(text: string, change: Parameters<typeof after>[1]): Promise<void> {
    const { cache, epoch } = this.run;
    const key = keyOf('metadata', this.#state.key, text, epoch);
    const createdBy = createdWithout(change.config ?? this.#state.config, ` ${text}`);
    const own = this.#cached(key) ?? (await this.#taken(key, { createdBy, description: text }));
    const known = own?.layer === undefined ? own : undefined;
    const created = known?.created ?? this.run.now();
    this.#told(known !== undefined, newId());
    if (known === undefined) await cache.add({ key, description: text, created, layer: undefined });
    this.run.used.add(key);
    this.#state = after(this.#state, change, { stepKey: key, created, layer: undefined, createdBy }, false);
    this.#tellId();
  }

  async #files(step: FileStep): Promise<void> {
    const { cache, flights, gate, signal, epoch, keep } = this.run;
    const key = keyOf('files', this.#state.filesKey, step.key, epoch);
    const own = this.#cached(key) ?? (await this.#taken(key, step));
    const alone = own === undefined ? await this.#independentKey(step) : undefined;
    const known = own ?? (await this.#moved(key, alone));
    const id = newId();
    if (step.container || known !== undefined) this.#told(known !== undefined, id, step.container);
    const found =
      known ??
      (await flights.share(key, signal, () =>
        gate.pass(signal, async () => {
          const layer = await step.perform(id, { independent: alone !== undefined });
          const result = {
            key,
            description: step.description,
            created: this.run.now(),
            layer,
          };
          await cache.add(result);
          if (alone !== undefined) await cache.add({ ...result, key: alone });
          return result;
        }),
      ));
    // It may be what another build made.
    if (found.layer !== undefined) {
      keep.layers.add(found.layer.chainId);
      keep.content.add(found.layer.digest);
    }
    const done = await this.#overThis(found);
    if (known === undefined && step.container) this.#removed(id);
    this.run.used.add(key);
    this.#state = after(
      this.#state,
      { config: step.config },
      { stepKey: key, created: done.created, layer: done.layer, createdBy: step.createdBy },
      true,
    );
    this.#tellId();
  }

  /**
   * A step's key names what is below by how it was made, which may have been done twice (`nocache`, two builds at once), with other
   * times: then the step's layer is over the other one, and comes over this one too.
   */
  async #overThis(done: CachedStep): Promise<CachedStep> {
    const { layer } = done;
    if (layer === undefined) return done;
    const [chainId] = chainIds([...this.#state.layers, layer].map(({ diffId }) => diffId)).slice(-1);
    if (layer.chainId === chainId) return done;
    const moved = { ...done, layer: await layerOver(this.run, layer, chainOf(this.#state)) };
    await this.run.cache.add(moved);
    return moved;
  }

  #cached(key: string): ReturnType<BuildRun['cache']['find']> {
    if (this.#noCache) return undefined;
    return this.run.cache.find(key);
  }

  /** From an image of `cachefrom`; then it is in the cache from now on. */
  async #taken(
    key: string,
    { createdBy, description }: Pick<FileStep, 'createdBy' | 'description'>,
  ): Promise<CachedStep | undefined> {
    const { cache, images, parameters } = this.run;
    if (this.#noCache || parameters.cacheFrom.length === 0) return undefined;
    const found = takeFrom(images, this.#state, createdBy);
    if (found === undefined) return undefined;
    const taken = { key, description, ...found };
    await cache.add(taken);
    return taken;
  }

  async #independentKey(step: FileStep): Promise<string | undefined> {
    const parts = await step.independentKey?.();
    return parts === undefined ? undefined : keyOf('independent files', parts, this.run.epoch);
  }

  /** A step that does not depend on what is below was done over something else. */
  async #moved(key: string, alone: string | undefined): Promise<CachedStep | undefined> {
    const found = alone === undefined ? undefined : this.#cached(alone);
    if (found?.layer === undefined) return undefined;
    this.run.used.add(found.key);
    const moved = { ...found, key, layer: await layerOver(this.run, found.layer, chainOf(this.#state)) };
    await this.run.cache.add(moved);
    return moved;
  }

  #told(cached: boolean, id: string, removedLater = false): void {
    if (cached) {
      this.lane.cached();
      return;
    }
    this.lane.running(shortId(id));
    if (!removedLater) this.#removed(id);
  }

  #removed(id: string): void {
    if (this.run.parameters.removeContainers) this.lane.removed(shortId(id));
  }

  #tellId(): void {
    this.lane.end(shortId(idOf(this.#state)));
  }
}

/** The words of a failed command, with its exit code for the client. */
export function commandFailed(args: readonly string[], code: number): Error {
  return Object.assign(new Error(`The command '${args.join(' ')}' returned a non-zero code: ${code}`), {
    exitCode: code,
  });
}
