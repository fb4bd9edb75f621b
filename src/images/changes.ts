import { posix } from 'node:path';
import { type EngineError, invalid, messageOf } from '../common/index.ts';
import {
  type CommandForm,
  type Instruction,
  type Lookup,
  parseDockerfile,
  substitute,
  substituteWords,
} from '../dockerfile/index.ts';
import { parseSignal } from '../sys/index.ts';
import type { ContainerConfig } from '../wire/index.ts';
import { exposedPorts } from './ports.ts';

const CHANGES = [
  'CMD',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'HEALTHCHECK',
  'LABEL',
  'ONBUILD',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
];
const SHELL = ['/bin/sh', '-c'];

/**
 * `--change` of import and commit: Dockerfile instructions over a configuration (moby builder/dockerfile, BuildFromConfig). Throws
 * `RUN is not a valid change command` and what the parser says.
 */
export function applyChanges(base: ContainerConfig, changes: readonly string[]): ContainerConfig {
  if (changes.length === 0) return base;
  const instructions = parse(changes.join('\n'));
  let config: ContainerConfig = { ...base };
  let cmdSet = false;
  for (const instruction of instructions) {
    config = applyOne(instruction, config, cmdSet);
    cmdSet ||= instruction.name === 'CMD';
  }
  return config;
}

/** The parser knows whole Dockerfiles only; its words are Docker's but for where they stand. */
function parse(text: string): Instruction[] {
  if (text.split('\n').every((line) => /^\s*(#.*)?$/.test(line))) throw invalid('file with no instructions');
  let stages: ReturnType<typeof parseDockerfile>['stages'];
  try {
    ({ stages } = parseDockerfile(`FROM scratch\n${text}`));
  } catch (error) {
    throw inWords(error);
  }
  if (stages.length > 1) throw invalid('FROM is not a valid change command');
  const instructions = stages[0]?.instructions ?? [];
  for (const { name } of instructions)
    if (!CHANGES.includes(name)) throw invalid(`${name} is not a valid change command`);
  return instructions;
}

function inWords(error: unknown): EngineError {
  const text = messageOf(error).replace(/^dockerfile parse error on line \d+: |^failed to parse Dockerfile: /, '');
  const unknown = /^unknown instruction: (\S+)/.exec(text)?.[1];
  return invalid(unknown === undefined ? text : `${unknown} is not a valid change command`);
}

function applyOne(instruction: Instruction, config: ContainerConfig, cmdSet: boolean): ContainerConfig {
  const options = { lookup: environmentOf(config) };
  const replace = (text: string) => substitute(text, options);
  switch (instruction.name) {
    case 'CMD':
      return { ...config, Cmd: commandOf(instruction.command), ArgsEscaped: undefined };
    case 'ENTRYPOINT': {
      const command = commandOf(instruction.command);
      const Entrypoint = 'shell' in instruction.command && instruction.command.shell === '' ? undefined : command;
      // A CMD of before was meant for the entry point of before.
      return { ...config, Entrypoint, Cmd: cmdSet ? config.Cmd : undefined };
    }
    case 'ENV':
      return {
        ...config,
        Env: withVariables(
          config.Env ?? [],
          instruction.pairs.map(([name, value]) => [replace(name), replace(value)]),
        ),
      };
    case 'LABEL':
      return {
        ...config,
        Labels: {
          ...config.Labels,
          ...Object.fromEntries(instruction.pairs.map(([name, value]) => [replace(name), replace(value)])),
        },
      };
    case 'EXPOSE': {
      const ports = instruction.values.flatMap((value) => substituteWords(value, options)).flatMap(exposedPorts);
      return {
        ...config,
        ExposedPorts: { ...config.ExposedPorts, ...Object.fromEntries(ports.sort().map((port) => [port, {}])) },
      };
    }
    case 'VOLUME':
      return {
        ...config,
        Volumes: { ...config.Volumes, ...Object.fromEntries(instruction.values.map((path) => [replace(path), {}])) },
      };
    case 'USER':
      return { ...config, User: replace(instruction.value) };
    case 'WORKDIR':
      return { ...config, WorkingDir: posix.resolve('/', config.WorkingDir || '/', replace(instruction.value)) };
    case 'STOPSIGNAL': {
      const signal = replace(instruction.value);
      parseSignal(signal);
      return { ...config, StopSignal: signal };
    }
    case 'ONBUILD':
      return { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.trigger] };
    case 'HEALTHCHECK':
      return { ...config, Healthcheck: healthOf(instruction) };
    default:
      throw invalid(`${instruction.name} is not a valid change command`);
  }
}

const commandOf = (form: CommandForm): string[] =>
  'exec' in form ? form.exec : [...SHELL, ...(form.shell === '' ? [] : [form.shell])];

function environmentOf({ Env = [] }: ContainerConfig): Lookup {
  return (name) => Env.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function withVariables(env: readonly string[], pairs: readonly (readonly [string, string])[]): string[] {
  const next = [...env];
  for (const [name, value] of pairs) {
    const known = next.findIndex((pair) => pair.startsWith(`${name}=`));
    next.splice(known < 0 ? next.length : known, known < 0 ? 0 : 1, `${name}=${value}`);
  }
  return next;
}

function healthOf({ health }: Extract<Instruction, { name: 'HEALTHCHECK' }>): ContainerConfig['Healthcheck'] {
  const { none, command, interval, timeout, startPeriod, startInterval, retries } = health;
  if (none) return { Test: ['NONE'] };
  const Test =
    command !== undefined && 'shell' in command ? ['CMD-SHELL', command.shell] : ['CMD', ...(command?.exec ?? [])];
  const given = {
    Interval: interval,
    Timeout: timeout,
    StartPeriod: startPeriod,
    StartInterval: startInterval,
    Retries: retries,
  };
  return {
    Test,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== 0)),
  };
}
