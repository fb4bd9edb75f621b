import { absenceAdvice } from './connection.ts';
import { systemWords } from './file-errors.ts';
import { globalFlags, LOG_LEVELS } from './global-flags.ts';
import type { Described } from './help.ts';
import { FlagError, HelpRequest, nearest, parseFlags } from './parse-flags.ts';
import { type Cli, openSession } from './session.ts';
import { type CommandSpec, ExitError, UsageError } from './spec.ts';
import { type Entry, entryOf, findEntry, namesOf, tree } from './tree.ts';

export const VERSION = '0.1.0';

/** Runs one command line (without the program's name); resolves to the exit code. Never throws. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let cli: Cli | undefined;
  try {
    const parsed = parseFlags(globalFlags, argv, false);
    cli = openSession(parsed.flags, env);
    const level = parsed.flags.text('log-level');
    if (!LOG_LEVELS.includes(level.toLowerCase())) throw new ExitError(1, `Unable to parse logging level: ${level}`);
    if (parsed.flags.bool('version')) {
      cli.print(`Gantry version ${VERSION}, build ${VERSION}\n`);
      return 0;
    }
    const options = argv.slice(0, argv.length - parsed.args.length);
    return await route(cli, expandAlias(cli, parsed.args), options);
  } catch (error) {
    cli ??= openSession(parseFlags(globalFlags, [], false).flags, env);
    if (error instanceof HelpRequest) return topHelp(cli, error);
    if (error instanceof FlagError) {
      cli.warn(
        `${error.message}\n\nUsage:  gantry [OPTIONS] COMMAND [ARG...]\n\nRun 'gantry --help' for more information\n`,
      );
      return 125;
    }
    return report(cli, error);
  }
}

/** As with a group, help that was not asked for is a complaint: it is no output. */
async function topHelp(cli: Cli, request?: HelpRequest, complaint = false): Promise<number> {
  if (request?.viaShorthand) cli.print('Flag shorthand -h has been deprecated, use --help\n');
  const [{ topLevelHelp }, { listPlugins }] = await Promise.all([import('./help-top.ts'), import('./plugins.ts')]);
  (complaint ? cli.warn : cli.print)(topLevelHelp(cli.columns, await listPlugins(cli)));
  return 0;
}

/** `aliases` of config.json stand for another command, as in Docker for `builder`; here for any. */
function expandAlias(cli: Cli, args: string[]): string[] {
  const [name, ...rest] = args;
  if (name === undefined || findEntry([name])) return args;
  const alias = cli.config.data.aliases?.[name];
  return typeof alias === 'string' && alias !== '' ? [...alias.split(/\s+/), ...rest] : args;
}

/** `options`: the global ones, as they were typed. */
async function route(cli: Cli, args: readonly string[], options: readonly string[]): Promise<number> {
  if (args.length === 0) return topHelp(cli, undefined, true);
  if (args[0] === 'help') return help(cli, args.slice(1));
  let level: readonly Entry[] = tree;
  let path = 'gantry';
  let entry: Entry | undefined;
  let rest = args;
  for (;;) {
    const name = rest[0];
    const found: Entry | undefined = name === undefined ? undefined : entryOf(level, name);
    if (!found) return entry ? wrongInGroup(cli, entry, path, rest) : external(cli, args, options);
    path += ` ${name}`;
    rest = rest.slice(1);
    entry = found;
    if (entry.load) return runCommand(cli, await describe(entry), path, rest);
    level = entry.children ?? [];
    if (entry.refused !== undefined) {
      if (rest.length === 0 || rest.includes('--help')) return groupHelp(cli, entry, path);
      cli.warn(`gantry: '${path}' is not supported: ${entry.refused}\n`);
      return 1;
    }
  }
}

const describe = async (entry: Entry): Promise<Described> => ({
  spec: (await entry.load!()).command,
  short: entry.short,
  names: namesOf(entry),
});

/** What follows a group's name and is none of its commands. As Docker's, it is looked through for flags first. */
async function wrongInGroup(cli: Cli, entry: Entry, path: string, rest: readonly string[]): Promise<number> {
  try {
    const [name] = parseFlags([], rest, true).args;
    // Asked for, help is the answer; for a call that lacks its command it is a complaint.
    return name === undefined ? groupHelp(cli, entry, path, true) : unknown(cli, name, path, entry.children ?? []);
  } catch (error) {
    if (error instanceof HelpRequest) return groupHelp(cli, entry, path);
    if (!(error instanceof FlagError)) throw error;
    cli.warn(`${error.message}\n\nUsage:  ${path}\n\nRun '${path} --help' for more information\n`);
    return 125;
  }
}

/** A command of a plugin's, or of nobody's. */
async function external(cli: Cli, args: readonly string[], options: readonly string[]): Promise<number> {
  const { findPlugin, runPlugin } = await import('./plugins.ts');
  const program = findPlugin(cli, args[0]!);
  return program === undefined
    ? unknown(cli, args[0]!, 'gantry', tree)
    : runPlugin(cli, program, [...options, ...args]);
}

function unknown(cli: Cli, name: string, path: string, level: readonly Entry[]): number {
  const near = nearest(
    name,
    level.filter((entry) => !entry.hidden).flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]),
  );
  cli.warn(`gantry: '${name}' is not a ${path} command.${near === undefined ? '' : ` Did you mean '${near}'?`}\n`);
  cli.warn(`${path === 'gantry' ? '' : `\nUsage:  ${path}\n`}\nRun '${path} --help' for more information\n`);
  return 1;
}

async function help(cli: Cli, words: readonly string[]): Promise<number> {
  if (words.length === 0) return topHelp(cli);
  const found = findEntry(words);
  if (!found) {
    const { findPlugin, runPlugin } = await import('./plugins.ts');
    const program = findPlugin(cli, words[0]!);
    if (program !== undefined) return runPlugin(cli, program, [...words, '--help']);
    cli.warn(`unknown help topic: ${words.join(' ')}\n`);
    return 1;
  }
  const path = `gantry ${words.join(' ')}`;
  if (!found.load) return groupHelp(cli, found, path);
  const { commandHelp } = await import('./help.ts');
  cli.print(commandHelp(await describe(found), path, cli.columns));
  return 0;
}

async function groupHelp(cli: Cli, entry: Entry, path: string, complaint = false): Promise<number> {
  const { groupHelpText } = await import('./help-top.ts');
  (complaint ? cli.warn : cli.print)(groupHelpText(entry, path));
  return 0;
}

async function runCommand(cli: Cli, described: Described, path: string, argv: readonly string[]): Promise<number> {
  const { spec } = described;
  const complain = async (message: string, code: number, lead = 'Run'): Promise<number> => {
    const { usageLine } = await import('./help.ts');
    cli.warn(`${message}\n\nUsage:  ${usageLine(spec, path)}\n\n${lead} '${path} --help' for more information\n`);
    return code;
  };
  try {
    const { args, flags, notices } = parseFlags(spec.flags, argv, spec.interspersed ?? true);
    for (const notice of notices) cli.warn(`${notice}\n`);
    const wrong = countArgs(spec, path, args.length);
    if (wrong !== undefined)
      return complain(`gantry: ${wrong}`, 1, wrong.includes('at least') && !wrong.includes('at most') ? 'See' : 'Run');
    const call = { args, flags, cli, path };
    try {
      return (await spec.run(call)) ?? 0;
    } catch (error) {
      // Nothing was done yet if nobody answered, so the command is simply run again.
      if (!(await started(cli, error))) throw error;
      return (await spec.run(call)) ?? 0;
    }
  } catch (error) {
    if (error instanceof HelpRequest) {
      if (error.viaShorthand) cli.print('Flag shorthand -h has been deprecated, use --help\n');
      const { commandHelp } = await import('./help.ts');
      cli.print(commandHelp(described, path, cli.columns));
      return 0;
    }
    if (error instanceof FlagError) return complain(error.message, 125);
    if (error instanceof UsageError) return complain(error.message, 1);
    return report(cli, error);
  }
}

/** True if the error was that no daemon listens, and one is running now: what failed can be tried again. */
export async function started(cli: Cli, failure: unknown): Promise<boolean> {
  const error = failure instanceof ExitError ? failure.cause : failure;
  if (!(error instanceof Error) || error.name !== 'ConnectionError') return false;
  const { startDaemon } = await import('./autostart.ts');
  return startDaemon(cli, error as Error & { reason: string; url: string });
}

function countArgs(spec: CommandSpec, path: string, count: number): string | undefined {
  const { min, max } = spec.args;
  if (count >= min && count <= max) return undefined;
  const plural = (number: number) => `${number} argument${number === 1 ? '' : 's'}`;
  if (max === 0) return `'${path}' accepts no arguments`;
  if (min === max) return `'${path}' requires ${plural(min)}`;
  if (max === Number.POSITIVE_INFINITY) return `'${path}' requires at least ${plural(min)}`;
  if (min === 0) return `'${path}' requires at most ${plural(max)}`;
  return `'${path}' requires at least ${min} and at most ${plural(max)}`;
}

/** Says what went wrong; the exit code. */
export function report(cli: Cli, error: unknown): number {
  if (error instanceof ExitError) {
    if (error.message !== '') cli.warn(`${error.message}\n`);
    return error.code;
  }
  cli.warn(`${errorText(error)}\n`);
  if (isAbsence(error)) {
    const advice = absenceAdvice(cli.globals, cli.env, cli.config);
    if (advice !== undefined) cli.warn(`${advice}\n`);
  }
  if (cli.globals.bool('debug') && error instanceof Error && error.stack !== undefined) cli.warn(`${error.stack}\n`);
  return 1;
}

const isAbsence = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ConnectionError' && 'reason' in error && error.reason === 'absent';

/** An error's words, led by who said them. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'ApiError') return `Error response from daemon: ${error.message}`;
  if (error.name === 'AbortError') return 'interrupted';
  return systemWords(error) ?? error.message;
}
