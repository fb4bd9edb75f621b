import { posix } from 'node:path';
import { durationText, invalid } from '../common/index.ts';
import { type CommandForm, type Instruction, type Lookup, substitute, substituteWords } from '../dockerfile/index.ts';
import { parseSignal } from '../sys/index.ts';
import type { ContainerConfig } from '../wire/index.ts';
import { exposedPorts } from './ports.ts';

const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** A command as it is stored: the shell form is given to the shell. */
export const commandOf = (form: CommandForm, config: ContainerConfig): string[] =>
  'exec' in form ? form.exec : [...(config.Shell ?? DEFAULT_SHELL), ...(form.shell === '' ? [] : [form.shell])];

export interface Change {
  config: ContainerConfig;
  author?: string;
  /** As history tells it: `CMD ["x"]`. */
  text: string;
}

export interface MetadataContext {
  config: ContainerConfig;
  lookup: Lookup;
  escape: string;
  /** `CMD` was set by this stage, so that ENTRYPOINT does not take the base's away. */
  cmdSet: boolean;
}

/** The configuration after an instruction that changes no file; undefined for those that do (RUN, COPY, ADD, WORKDIR) and ARG. */
export function applyMetadata(
  instruction: Instruction,
  { config, lookup, escape, cmdSet }: MetadataContext,
): Change | undefined {
  const replace = (text: string) => substitute(text, { lookup, escape });
  const replaceWords = (texts: readonly string[]) => texts.flatMap((text) => substituteWords(text, { lookup, escape }));
  switch (instruction.name) {
    case 'CMD': {
      const command = commandOf(instruction.command, config);
      return { config: { ...config, Cmd: command, ArgsEscaped: undefined }, text: `CMD ${goList(command)}` };
    }
    case 'ENTRYPOINT': {
      const command = commandOf(instruction.command, config);
      const Entrypoint = 'shell' in instruction.command && instruction.command.shell === '' ? undefined : command;
      // A base's CMD was meant for the base's ENTRYPOINT.
      const next = { ...config, Entrypoint, Cmd: cmdSet ? config.Cmd : undefined };
      return { config: next, text: `ENTRYPOINT ${goList(command)}` };
    }
    case 'ENV': {
      let env = config.Env ?? [];
      const pairs: string[] = [];
      for (const [name, value] of instruction.pairs.map(([name, value]) => [replace(name), replace(value)] as const)) {
        if (name === '') throw invalid('ENV names can not be blank');
        const pair = `${name}=${value}`;
        pairs.push(pair);
        const known = env.findIndex((item) => item.startsWith(`${name}=`));
        env = known < 0 ? [...env, pair] : env.with(known, pair);
      }
      return { config: { ...config, Env: env }, text: `ENV ${pairs.join(' ')}` };
    }
    case 'LABEL': {
      const pairs = instruction.pairs.map(([name, value]): [string, string] => [replace(name), replace(value)]);
      return {
        config: { ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs) } },
        text: `LABEL ${pairs.map((pair) => pair.join('=')).join(' ')}`,
      };
    }
    case 'EXPOSE': {
      const words = replaceWords(instruction.values.toSorted());
      return {
        config: {
          ...config,
          ExposedPorts: {
            ...config.ExposedPorts,
            ...Object.fromEntries(
              words
                .flatMap(exposedPorts)
                .sort()
                .map((port) => [port, {}]),
            ),
          },
        },
        text: `EXPOSE ${words.join(' ')}`,
      };
    }
    case 'VOLUME': {
      const paths = instruction.values.map(replace);
      if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string');
      return {
        config: { ...config, Volumes: { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) } },
        text: `VOLUME [${paths.join(' ')}]`,
      };
    }
    case 'USER': {
      const user = replace(instruction.value);
      return { config: { ...config, User: user }, text: `USER ${user}` };
    }
    case 'STOPSIGNAL': {
      const signal = replace(instruction.value);
      // As in moby a number may be any but 0.
      if (!/^[+-]?\d+$/.test(signal) || Number(signal) === 0) parseSignal(signal);
      return { config: { ...config, StopSignal: signal }, text: `STOPSIGNAL ${signal}` };
    }
    case 'SHELL':
      return { config: { ...config, Shell: instruction.shell }, text: `SHELL [${instruction.shell.join(' ')}]` };
    case 'MAINTAINER':
      return { config, author: instruction.value, text: `MAINTAINER ${instruction.value}` };
    case 'ONBUILD':
      return {
        config: { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.trigger] },
        text: `ONBUILD ${instruction.trigger}`,
      };
    case 'HEALTHCHECK': {
      const health = healthOf(instruction);
      return { config: { ...config, Healthcheck: health }, text: `HEALTHCHECK ${healthText(health)}` };
    }
    case 'RUN':
    case 'COPY':
    case 'ADD':
    case 'WORKDIR':
    case 'ARG':
      return undefined;
  }
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

/** Go's `%q` of a list: `["a" "b"]`. */
const goList = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;

/** WORKDIR's new value: relative ones stand on the former. Cleaned, as the classic builder does. */
export const workingDirectory = (current: string | undefined, value: string): string =>
  posix.resolve('/', current || '/', value);

/** A health check as Go's `%v` prints it, which is what Docker's history has. */
function healthText({ Test = [], ...check }: ContainerConfig['Healthcheck'] = {}): string {
  const { Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = check;
  const times = [Interval, Timeout, StartPeriod, StartInterval].map(durationText);
  return `&{[${Test.join(' ')}] ${times.join(' ')} ${Retries}}`;
}
