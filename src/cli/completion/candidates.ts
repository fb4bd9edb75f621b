import { ContextStore } from '../contexts.ts';
import { globalFlags } from '../global-flags.ts';
import type { Cli } from '../session.ts';
import type { CommandSpec, Completion, FlagSpec } from '../spec.ts';
import { type Entry, entryOf, isOffered, tree } from '../tree.ts';

/** What may stand for the last of these words; each line is a word, perhaps with a tab and a description. `:files` asks for file names. */
export async function candidates(cli: Cli, words: readonly string[]): Promise<string[]> {
  const current = words.at(-1) ?? '';
  let level: readonly Entry[] = tree;
  const index = skipGlobals(words);
  if (index === undefined) return /^(-c|--context)$/.test(words.at(-2) ?? '') ? names(cli, 'contexts', current) : [];
  if (index >= words.length - 1)
    return current.startsWith('-') ? flagWords(globalFlags, current) : commandWords(level, current);
  if (words[index] === 'help') return topics(words.slice(index + 1, -1), current);
  for (const at of words.keys()) {
    if (at < index || at >= words.length - 1) continue;
    const entry = entryOf(level, words[at]!);
    if (!entry) return [];
    if (entry.load) return forCommand(cli, (await entry.load()).command, words.slice(at + 1, -1), current);
    level = entry.children ?? [];
  }
  return commandWords(level, current);
}

/** The index of the first word that is no global option; undefined while a value of one is typed. */
function skipGlobals(words: readonly string[]): number | undefined {
  let index = 0;
  while (index < words.length - 1 && words[index]!.startsWith('-')) {
    const word = words[index]!;
    const spec = globalFlags.find((flag) => word === `--${flag.name}` || word === `-${flag.short}`);
    index += spec && spec.type !== 'bool' ? 2 : 1;
  }
  return index > words.length - 1 ? undefined : index;
}

const commandWords = (level: readonly Entry[], start: string): string[] =>
  level
    .filter((entry) => isOffered(entry) && entry.name.startsWith(start))
    .map((entry) => `${entry.name}\t${entry.short}`);

/** What `help` knows behind these words. */
function topics(before: readonly string[], start: string): string[] {
  let level: readonly Entry[] = tree;
  for (const word of before) level = entryOf(level, word)?.children ?? [];
  return commandWords(level, start);
}

const flagWords = (flags: readonly FlagSpec[], start: string): string[] =>
  flags
    .filter((flag) => !flag.hidden && flag.deprecated === undefined && `--${flag.name}`.startsWith(start))
    .map((flag) => `--${flag.name}\t${flag.usage.split('\n')[0]}`);

const FLAG_VALUES: Readonly<Record<string, Completion>> = {
  network: 'networks',
  link: 'running',
  'volumes-from': 'containers',
  'env-file': 'files',
  'label-file': 'files',
  input: 'files',
  output: 'files',
  file: 'files',
  cidfile: 'files',
};

const SIGNALS: readonly string[] = ['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'];
/** Values of flags that are one of a few words. */
const FLAG_WORDS: Readonly<Record<string, readonly string[]>> = {
  format: ['json', 'table'],
  pull: ['always', 'missing', 'never'],
  restart: ['always', 'no', 'on-failure', 'unless-stopped'],
  signal: SIGNALS,
  'stop-signal': SIGNALS,
  progress: ['auto', 'plain', 'quiet', 'rawjson', 'tty'],
  type: ['container', 'image', 'network', 'volume'],
};

function flagValues(cli: Cli, flag: FlagSpec, start: string): Promise<string[]> | string[] {
  const words = FLAG_WORDS[flag.name];
  if (words) return words.filter((word) => word.startsWith(start));
  const kind = FLAG_VALUES[flag.name];
  return kind === undefined ? [] : names(cli, kind, start);
}

async function forCommand(cli: Cli, spec: CommandSpec, before: readonly string[], current: string): Promise<string[]> {
  const { flag, position, ended } = stateAfter(spec, before);
  if (flag) return flagValues(cli, flag, current);
  if (current.startsWith('-') && !ended) {
    const joined = /^--([^=]+)=(.*)$/s.exec(current);
    const named = joined && spec.flags.find((item) => item.name === joined[1] && item.type !== 'bool');
    if (!joined || !named) return flagWords(spec.flags, current);
    const found = await flagValues(cli, named, joined[2]!);
    return found.map((line) => (line.startsWith(':') ? line : `--${named.name}=${line}`));
  }
  if (position >= spec.args.max || (spec.interspersed === false && spec.args.max > 2 && position > 0)) return [];
  const kinds = spec.completeInOrder ? (spec.complete ?? []).slice(position, position + 1) : (spec.complete ?? []);
  const lists = await Promise.all(kinds.map((kind) => names(cli, kind, current)));
  const choices = (spec.choices ?? []).filter((word) => word.startsWith(current));
  return [...new Set([...choices, ...lists.flat()])];
}

/** Where these words of a command lead: a flag that waits for its value, or how many arguments there are. */
function stateAfter(
  spec: CommandSpec,
  words: readonly string[],
): { flag?: FlagSpec; position: number; ended: boolean } {
  let position = 0;
  let ended = false;
  let flag: FlagSpec | undefined;
  for (const word of words) {
    if (flag) {
      flag = undefined;
    } else if (ended || !/^-./.test(word)) {
      position++;
      ended ||= spec.interspersed === false;
    } else if (word === '--') ended = true;
    else if (word.startsWith('--'))
      flag = spec.flags.find((item) => word === `--${item.name}` && item.type !== 'bool' && item.bare === undefined);
    else {
      // Of short flags in a group only the last can wait for a value.
      const letters = [...word.slice(1)].map((letter) => spec.flags.find((item) => item.short === letter));
      const first = letters.findIndex((item) => item && item.type !== 'bool');
      if (first >= 0 && first === letters.length - 1) flag = letters[first];
    }
  }
  return { flag, position, ended };
}

async function names(cli: Cli, kind: Completion, start: string): Promise<string[]> {
  // `NAME:` begins a path in a container.
  if (kind === 'files') return /^[\w.-]+:/.test(start) ? [] : [':files'];
  if (kind === 'contexts')
    return ['default', ...new ContextStore(cli.config.dir).list().map((meta) => meta.Name)].filter((name) =>
      name.startsWith(start),
    );
  const client = await cli.client();
  const found = await {
    containers: async () =>
      (await client.containers.list({ all: true })).flatMap((item) =>
        item.Names.map((name) => `${name.replace(/^\//, '')}\t${item.Status}`),
      ),
    running: async () =>
      (await client.containers.list()).flatMap((item) =>
        item.Names.map((name) => `${name.replace(/^\//, '')}\t${item.Status}`),
      ),
    images: async () =>
      (await client.images.list()).flatMap((item) => (item.RepoTags ?? []).filter((tag) => !tag.startsWith('<none>'))),
    volumes: async () => ((await client.volumes.list()).Volumes ?? []).map((item) => item.Name),
    networks: async () => (await client.networks.list()).map((item) => item.Name),
  }[kind]();
  return found.filter((name) => name.startsWith(start));
}
