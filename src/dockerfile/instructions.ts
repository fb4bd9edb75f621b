import { type EngineError, invalid, parseDurationNs } from '../common/index.ts';
import { commandForm, type Flag, jsonArray, listForm, pairsForm, takeFlags } from './forms.ts';
import { heredocStart, shellWords } from './lines.ts';
import { suggestion } from './suggest.ts';
import type { CopyBody, Directives, HealthcheckBody, Instruction, LogicalLine } from './types.ts';

export const INSTRUCTIONS = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const;
export type InstructionName = (typeof INSTRUCTIONS)[number];

/** Flags by instruction; those that may be given without `=` (booleans), and those that may come several times. */
const FLAGS: Partial<Record<InstructionName, readonly string[]>> = {
  FROM: ['platform'],
  RUN: ['mount', 'network', 'security'],
  ADD: ['chown', 'chmod', 'link', 'exclude', 'keep-git-dir', 'checksum', 'unpack'],
  COPY: ['from', 'chown', 'chmod', 'link', 'parents', 'exclude'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
};
const BOOLEANS: readonly string[] = ['link', 'parents', 'keep-git-dir', 'unpack'];
const REPEATED: readonly string[] = ['mount', 'exclude'];

/** Says where: `dockerfile parse error on line N: …`. Errors of the whole file stay as they are. */
export const at = (line: number, why: string): EngineError => invalid(`dockerfile parse error on line ${line}: ${why}`);

/** A line's instruction, flags and arguments. */
export interface Split {
  name: InstructionName;
  flags: Map<string, string[]>;
  rest: string;
}

export function splitInstruction({ line, text }: LogicalLine, directives: Directives): Split {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(text);
  const name = (match?.[1] ?? '').toUpperCase();
  if (!isInstruction(name)) throw at(line, `unknown instruction: ${match?.[1]}${suggestion(name, INSTRUCTIONS)}`);
  const { flags, rest } = takeFlags(match?.[2] ?? '', directives.escape);
  if (
    FLAGS[name] === undefined &&
    !['CMD', 'ENTRYPOINT', 'ONBUILD', 'ENV', 'LABEL', 'ARG'].includes(name) &&
    flags.length > 0
  )
    throw at(line, `unknown flag: --${flags[0]!.name}`);
  if (FLAGS[name] === undefined) return { name, flags: new Map(), rest: match?.[2] ?? '' };
  return { name, flags: checkedFlags(line, name, flags, directives), rest };
}

const isInstruction = (name: string): name is InstructionName => (INSTRUCTIONS as readonly string[]).includes(name);

function checkedFlags(
  line: number,
  name: InstructionName,
  flags: readonly Flag[],
  directives: Directives,
): Map<string, string[]> {
  // `--parents` belongs to syntax 1.20, what 1 has meant since, and the labs channel; the reference refuses it elsewhere.
  const known = (FLAGS[name] ?? []).filter((flag) => flag !== 'parents' || hasParents(directives));
  const found = new Map<string, string[]>();
  for (const flag of flags) {
    if (!known.includes(flag.name)) throw at(line, `unknown flag: --${flag.name}${suggestion(flag.name, known)}`);
    const before = found.get(flag.name);
    if (before !== undefined && !REPEATED.includes(flag.name))
      throw at(line, `duplicate flag specified: --${flag.name}`);
    if (flag.value === undefined && !BOOLEANS.includes(flag.name))
      throw at(line, `missing a value on flag: --${flag.name}`);
    if (BOOLEANS.includes(flag.name) && !['true', 'false', undefined].includes(flag.value?.toLowerCase()))
      throw at(line, `expecting boolean value for flag --${flag.name}, not: ${flag.value}`);
    found.set(flag.name, [...(before ?? []), flag.value ?? 'true']);
  }
  return found;
}

function hasParents({ syntax }: Directives): boolean {
  if (syntax === undefined) return false;
  const tag = /:([^:/]+)$/.exec(syntax.split('@', 1)[0]!)?.[1] ?? 'latest';
  const version = /^1\.(\d+)/.exec(tag);
  return /^(1|latest)$|labs|master|experimental/.test(tag) || (version !== null && Number(version[1]) >= 20);
}

const plural = { 1: 'exactly one argument', least: 'at least one argument' } as const;

/** Every instruction but FROM. */
export function parseInstruction(
  logical: LogicalLine,
  directives: Directives,
  split = splitInstruction(logical, directives),
): Instruction {
  const { line } = logical;
  const { name, flags, rest } = split;
  const base = { line, original: logical.text };
  const require = (met: boolean, wanted: keyof typeof plural) => {
    if (!met) throw at(line, `${name} requires ${plural[wanted]}`);
  };
  switch (name) {
    case 'FROM':
      throw at(line, 'FROM is not allowed here');
    case 'RUN': {
      const [network, security] = [flags.get('network')?.[0], flags.get('security')?.[0]];
      return {
        ...base,
        name,
        command: commandForm(rest),
        heredocs: logical.heredocs,
        mounts: flags.get('mount') ?? [],
        network,
        security,
      };
    }
    case 'CMD':
    case 'ENTRYPOINT':
      return { ...base, name, command: commandForm(rest) };
    case 'SHELL': {
      require(rest !== '', 'least');
      const shell = jsonArray(rest);
      if (shell === undefined) throw at(line, 'SHELL requires the arguments to be in JSON form');
      require(shell.length > 0, 'least');
      return { ...base, name, shell };
    }
    case 'COPY':
    case 'ADD':
      return { ...base, name, ...copyBody(logical, split) };
    case 'ENV':
    case 'LABEL': {
      const pairs = pairsForm(name, rest, directives.escape);
      require(pairs.length > 0, 'least');
      if (pairs.some(([key]) => key === '')) throw at(line, `${name} names can not be blank`);
      return { ...base, name, pairs };
    }
    case 'ARG': {
      const args = argsOf(rest, directives.escape);
      require(args.length > 0, 'least');
      if (args.some((arg) => arg.name === '')) throw at(line, 'ARG names can not be blank');
      return { ...base, name, args };
    }
    case 'EXPOSE': {
      const values = rest.split(/\s+/).filter((word) => word !== '');
      require(values.length > 0, 'least');
      return { ...base, name, values };
    }
    case 'VOLUME': {
      const values = listForm(rest).map((value) => value.trim());
      require(values.length > 0, 'least');
      if (values.includes('')) throw at(line, 'VOLUME specified can not be an empty string');
      return { ...base, name, values };
    }
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      require(rest !== '', 1);
      return { ...base, name, value: rest };
    case 'ONBUILD':
      return { ...base, name, trigger: trigger(line, rest, logical) };
    case 'HEALTHCHECK':
      return { ...base, name, health: healthcheck(line, flags, rest) };
  }
}

export function argsOf(rest: string, escape: string): { name: string; value?: string }[] {
  return shellWords(rest, escape).map((word) => {
    const cut = word.indexOf('=');
    return cut < 0 ? { name: word } : { name: word.slice(0, cut), value: word.slice(cut + 1) };
  });
}

function copyBody({ line, heredocs }: LogicalLine, { name, flags, rest }: Split): CopyBody {
  const words = listForm(rest);
  if (words.length < 2) {
    throw at(
      line,
      `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  const sources = words.slice(0, -1);
  const named = sources.flatMap((word) => heredocStart(word)?.name ?? []);
  const flag = (key: string) => flags.get(key)?.[0];
  const isTrue = (key: string) => flag(key)?.toLowerCase() === 'true';
  return {
    sources: sources.filter((word) => heredocs.length === 0 || heredocStart(word) === undefined),
    destination: words.at(-1)!,
    heredocs: heredocs.filter((heredoc) => named.includes(heredoc.name)),
    // `--from=` is as good as none.
    from: flag('from') || undefined,
    chown: flag('chown'),
    chmod: flag('chmod'),
    link: isTrue('link'),
    parents: isTrue('parents'),
    exclude: flags.get('exclude') ?? [],
    checksum: flag('checksum'),
    keepGitDir: isTrue('keep-git-dir'),
    unpack: flag('unpack') === undefined ? undefined : isTrue('unpack'),
  };
}

function trigger(line: number, rest: string, { heredocs }: LogicalLine): string {
  if (rest === '') throw at(line, 'ONBUILD requires at least one argument');
  const first = rest.split(/\s/)[0]!.toUpperCase();
  if (first === 'ONBUILD') throw at(line, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (first === 'FROM' || first === 'MAINTAINER') throw at(line, `${first} isn't allowed as an ONBUILD trigger`);
  return [rest, ...heredocs.map((heredoc) => `${heredoc.content}${heredoc.name}`)].join('\n');
}

function healthcheck(line: number, flags: ReadonlyMap<string, string[]>, rest: string): HealthcheckBody {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(rest);
  if (match === null) throw at(line, 'HEALTHCHECK requires at least one argument');
  const type = match[1]!.toUpperCase();
  const body = match[2]!;
  if (type === 'NONE') {
    if (body !== '') throw at(line, 'HEALTHCHECK NONE takes no arguments');
    return { none: true };
  }
  if (type !== 'CMD') throw at(line, `Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  const command = commandForm(body);
  if (body === '' || ('exec' in command && command.exec.length === 0))
    throw at(line, 'Missing command after HEALTHCHECK CMD');
  const health: HealthcheckBody = { none: false, command };
  const duration = (flag: string): number | undefined => {
    const text = flags.get(flag)?.[0];
    if (text === undefined || text === '') return undefined;
    let ns: number;
    try {
      ns = parseDurationNs(text);
    } catch (error) {
      throw at(line, error instanceof Error ? error.message : String(error));
    }
    if (ns < 0) throw at(line, `Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
    if (ns !== 0 && ns < 1e6) throw at(line, `Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
    return ns;
  };
  health.interval = duration('interval');
  health.timeout = duration('timeout');
  health.startPeriod = duration('start-period');
  health.startInterval = duration('start-interval');
  const retries = flags.get('retries')?.[0];
  if (retries !== undefined && retries !== '') {
    if (!/^[+-]?\d+$/.test(retries))
      throw at(line, `strconv.ParseInt: parsing ${JSON.stringify(retries)}: invalid syntax`);
    if (Number(retries) < 0) throw at(line, `--retries cannot be negative (${retries})`);
    health.retries = Number(retries);
  }
  return health;
}
