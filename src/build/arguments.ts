import type { Dockerfile, Lookup } from '../dockerfile/index.ts';
import { substitute } from '../dockerfile/index.ts';
import type { Platform } from '../wire/index.ts';

/** Known without an ARG, and kept out of history and cache (Dockerfile reference, "Predefined ARGs"). */
export const PROXY_ARGS: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'FTP_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
].flatMap((name) => [name, name.toLowerCase()]);

/** `ARG TARGETARCH` and its like ("Automatic platform ARGs in the global scope"); `stage` is the target as asked for. */
export function platformArgs(build: Platform, target: Platform, stage = 'default'): Map<string, string> {
  const of = (prefix: string, { os, architecture, variant = '' }: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, [os, architecture, variant].filter((part) => part !== '').join('/')],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, variant],
  ];
  return new Map([...of('BUILD', build), ...of('TARGET', target), ['TARGETSTAGE', stage]]);
}

export interface GlobalArguments {
  /** ARGs before the first FROM, with what the caller gave. */
  values: ReadonlyMap<string, string>;
  /** For FROM: those and the platform's. */
  lookup: Lookup;
}

export function globalArguments(
  file: Dockerfile,
  given: ReadonlyMap<string, string | undefined>,
  platform: ReadonlyMap<string, string>,
): GlobalArguments {
  const values = new Map<string, string>();
  const lookup: Lookup = (name) => values.get(name) ?? platform.get(name);
  for (const { args } of file.metaArgs)
    for (const { name, value } of args) {
      const chosen =
        given.get(name) ??
        (value === undefined ? undefined : substitute(value, { lookup, escape: file.directives.escape }));
      if (chosen !== undefined) values.set(name, chosen);
    }
  return { values, lookup };
}

/** The arguments that a stage has declared. Environment variables of the same name hide them. */
export class StageArguments {
  readonly #given: ReadonlyMap<string, string | undefined>;
  readonly #global: ReadonlyMap<string, string>;
  readonly #platform: ReadonlyMap<string, string>;
  readonly #declared: Map<string, string | undefined>;

  constructor(
    given: ReadonlyMap<string, string | undefined>,
    global: ReadonlyMap<string, string>,
    platform: ReadonlyMap<string, string>,
    inherited?: StageArguments,
  ) {
    this.#given = given;
    this.#global = global;
    this.#platform = platform;
    this.#declared = inherited === undefined ? new Map() : new Map(inherited.#declared);
  }

  declare(name: string, fallback: string | undefined): void {
    const outer = this.#global.get(name) ?? this.#platform.get(name);
    this.#declared.set(name, this.#given.get(name) ?? fallback ?? outer ?? this.#declared.get(name));
  }

  value(name: string): string | undefined {
    return this.#declared.get(name);
  }

  /** `NAME=value` of what a command sees besides the environment, sorted; `hidden`: those that are not told to history. */
  forCommand(env: readonly string[]): { told: string[]; hidden: string[] } {
    const names = new Set(env.map((pair) => pair.split('=', 1)[0]!));
    const told = [...this.#declared]
      .flatMap(([name, value]) => (value === undefined || names.has(name) ? [] : [`${name}=${value}`]))
      .sort();
    const hidden = PROXY_ARGS.flatMap((name) => {
      // One given as HTTP_PROXY is seen as http_proxy too: programs read either.
      const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
      const value = this.#given.get(name) ?? this.#given.get(other);
      return value === undefined || names.has(name) || this.#declared.has(name) ? [] : [`${name}=${value}`];
    });
    return { told, hidden };
  }
}

/** Arguments for the builder itself. */
const UNTOLD: readonly string[] = ['SOURCE_DATE_EPOCH', 'BUILDKIT_DOCKERFILE_CHECK', 'BUILDKIT_INLINE_CACHE'];

/** Arguments given that no ARG asks for. */
export function unusedArguments(file: Dockerfile, given: ReadonlyMap<string, string | undefined>): string[] {
  const declared = new Set(file.metaArgs.flatMap(({ args }) => args.map(({ name }) => name)));
  for (const { instructions } of file.stages)
    for (const instruction of instructions)
      if (instruction.name === 'ARG') for (const { name } of instruction.args) declared.add(name);
  return [...given.keys()]
    .filter((name) => !declared.has(name) && !PROXY_ARGS.includes(name) && !UNTOLD.includes(name))
    .sort();
}
