import { globalFlags } from './global-flags.ts';
import { commandList, flagHelp } from './help.ts';
import { type Entry, isOffered, tree } from './tree.ts';

/** Docker's order, which is that of use. */
const COMMON = 'run exec ps build pull push images login logout search version info'.split(' ');

/** What `gantry` alone prints. `plugins`: programs of others that are commands too. */
export function topLevelHelp(columns: number, plugins: readonly { name: string; short: string }[] = []): string {
  const offered = tree.filter(isOffered);
  const common = COMMON.map((name) => offered.find((entry) => entry.name === name)!);
  const rest = offered.filter((entry) => !common.includes(entry)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  let out =
    'Usage:  gantry [OPTIONS] COMMAND\n\nA container engine: containers, images, builds, networks and volumes\n';
  out += commandList('Common Commands', common);
  out += commandList(
    'Management Commands',
    rest.filter(({ children }) => children),
  );
  out += commandList(
    'Commands',
    rest.filter(({ children }) => !children),
  );
  if (plugins.length > 0) out += commandList('Plugins', plugins);
  out += `\nGlobal Options:\n${flagHelp(globalFlags, columns)}`;
  return `${out}\nRun 'gantry COMMAND --help' for more information on a command.\n`;
}

/** What `gantry image` prints. */
export function groupHelpText(entry: Entry, path: string): string {
  if (entry.refused !== undefined)
    return `Usage:  ${path} COMMAND\n\n${entry.short}\n\nNot supported: ${entry.refused}\n`;
  const rows = (entry.children ?? []).filter(isOffered);
  return `Usage:  ${path} COMMAND\n\n${entry.short}\n${commandList('Commands', rows)}\nRun '${path} COMMAND --help' for more information on a command.\n`;
}
