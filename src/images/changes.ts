import { type EngineError, invalid, messageOf } from '../common/index.ts';
import { type Instruction, type Lookup, parseDockerfile, substitute } from '../dockerfile/index.ts';
import type { ContainerConfig } from '../wire/index.ts';
import { applyMetadata, workingDirectory } from './metadata.ts';

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
  const context = { config, lookup: environmentOf(config), escape: '\\', cmdSet };
  if (instruction.name === 'WORKDIR')
    return { ...config, WorkingDir: workingDirectory(config.WorkingDir, substitute(instruction.value, context)) };
  const change = applyMetadata(instruction, context);
  if (change === undefined) throw invalid(`${instruction.name} is not a valid change command`);
  return change.config;
}

function environmentOf({ Env = [] }: ContainerConfig): Lookup {
  return (name) => Env.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
