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

async function forCommand(cli: Cli, spec: CommandSpec, before: readonly string[], current: string): Promise<string[]> {
  const last = before.at(-1) ?? '';
  const flag = spec.flags.find(
    (item) => last === `--${item.name}` || (item.short !== undefined && last === `-${item.short}`),
  );
  if (flag && flag.type !== 'bool') {
    const kind = FLAG_VALUES[flag.name];
    return kind === undefined ? [] : names(cli, kind, current);
  }
  if (current.startsWith('-')) return flagWords(spec.flags, current);
  const lists = await Promise.all((spec.complete ?? []).map((kind) => names(cli, kind, current)));
  return [...new Set(lists.flat())];
}

async function names(cli: Cli, kind: Completion, start: string): Promise<string[]> {
  if (kind === 'files') return [':files'];
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
