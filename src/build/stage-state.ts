import { createHash } from 'node:crypto';
import type { ContentStore } from '../content/index.ts';
import { chainIds, commandOf, DOCKER, type Image, type Keep } from '../images/index.ts';
import { type ContainerConfig, type HistoryEntry, type ImageConfig, Manifest, type Platform } from '../wire/index.ts';
import { keyOf } from './cache.ts';
import type { BuiltLayer } from './types.ts';

/** An image on its way: what the instructions so far have made. Never changed, only replaced. */
export interface StageState {
  /** Fields of the base's configuration that an instruction does not touch. */
  base: Partial<ImageConfig>;
  /** Id of an image that this is still exactly. */
  imageId: string | undefined;
  config: ContainerConfig;
  author: string | undefined;
  created: string | undefined;
  layers: readonly BuiltLayer[];
  history: readonly HistoryEntry[];
  platform: Platform;
  /** Names the whole state. */
  key: string;
  /** Names the file system alone: instructions that change only the configuration leave it. */
  filesKey: string;
  cmdSet: boolean;
}

export const emptyState = (platform: Platform): StageState => ({
  base: {},
  imageId: undefined,
  config: {},
  author: undefined,
  created: undefined,
  layers: [],
  history: [],
  platform,
  key: 'scratch',
  filesKey: 'scratch',
  cmdSet: false,
});

export async function stateOfImage(image: Image, content: ContentStore, keep: Keep): Promise<StageState> {
  keep.image(image.id);
  const manifest = Manifest.parse(JSON.parse((await content.read(image.manifestDigest)).toString()));
  const chains = chainIds(image.diffIds);
  const { config, architecture, os, variant } = image.config;
  return {
    base: image.config,
    imageId: image.id,
    config: { ...config },
    author: image.config.author,
    created: image.config.created,
    layers: image.diffIds.map((diffId, index) => {
      const { digest = diffId, size = 0, mediaType = DOCKER.layer } = manifest.layers[index] ?? {};
      return { diffId, chainId: chains[index]!, digest, size, mediaType };
    }),
    history: image.config.history ?? [],
    platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
    key: image.id,
    filesKey: image.chainId ?? 'scratch',
    cmdSet: false,
  };
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A stage's commands have a PATH, and so has its image. */
export function withPath(state: StageState): StageState {
  const env = state.config.Env ?? [];
  return env.some((pair) => pair.startsWith('PATH='))
    ? state
    : { ...state, config: { ...state.config, Env: [...env, DEFAULT_PATH] } };
}

/** As history tells an instruction that runs nothing: what the stage's shell would make of it (moby builder/dockerfile, withCmdComment). */
export const createdWithout = (config: ContainerConfig, text: string): string =>
  commandOf({ shell: `#(nop) ${text}` }, config).join(' ');

export interface Outcome {
  stepKey: string;
  created: string;
  layer: BuiltLayer | undefined;
  createdBy: string;
}

/** The state after an instruction. */
export function after(
  state: StageState,
  change: Partial<Pick<StageState, 'config' | 'author' | 'cmdSet'>>,
  outcome: Outcome,
  changesFiles: boolean,
): StageState {
  const { created, layer, createdBy, stepKey } = outcome;
  const author = change.author ?? state.author;
  const entry: HistoryEntry = {
    created,
    created_by: createdBy,
    ...(author === undefined ? {} : { author }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  return {
    ...state,
    ...change,
    imageId: undefined,
    created,
    layers: layer === undefined ? state.layers : [...state.layers, layer],
    history: [...state.history, entry],
    key: keyOf(state.key, stepKey),
    filesKey: changesFiles ? keyOf(state.filesKey, stepKey) : state.filesKey,
  };
}

export function imageConfigOf(state: StageState): ImageConfig {
  const { architecture, os, variant } = state.platform;
  return {
    ...state.base,
    created: state.created,
    ...(state.author === undefined ? {} : { author: state.author }),
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: state.config,
    rootfs: { type: 'layers', diff_ids: state.layers.map(({ diffId }) => diffId) },
    history: [...state.history],
  };
}

/** The id that an image of this state has or would have. */
export const idOf = (state: StageState): string =>
  state.imageId ??
  `sha256:${createHash('sha256')
    .update(JSON.stringify(imageConfigOf(state)))
    .digest('hex')}`;

export const chainOf = (state: StageState): string | undefined => state.layers.at(-1)?.chainId;
