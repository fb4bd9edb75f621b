import { globalFlags } from './global-flags.ts';
import { commandList, flagHelp } from './help.ts';
import { type Entry, tree } from './tree.ts';

const SECTIONS = ['Common Commands', 'Management Commands', 'Commands'] as const;

/** What `gantry` alone prints. */
export function topLevelHelp(columns: number): string {
  let out =
    'Usage:  gantry [OPTIONS] COMMAND\n\nA container engine: containers, images, builds, networks and volumes\n';
  for (const section of SECTIONS) {
    const rows = tree.filter(
      (entry) => !entry.hidden && entry.refused === undefined && (entry.section ?? 'Commands') === section,
    );
    out += commandList(
      section,
      rows.map(({ name, short }) => [name, short] as const),
    );
  }
  out += `\nGlobal Options:\n${flagHelp(globalFlags, columns)}`;
  return `${out}\nRun 'gantry COMMAND --help' for more information on a command.\n`;
}

/** What `gantry image` prints. */
export function groupHelpText(entry: Entry, path: string): string {
  if (entry.refused !== undefined)
    return `Usage:  ${path} COMMAND\n\n${entry.short}\n\nNot supported: ${entry.refused}\n`;
  const rows = (entry.children ?? []).filter((child) => !child.hidden).map(({ name, short }) => [name, short] as const);
  return `Usage:  ${path} COMMAND\n\n${entry.short}\n${commandList('Commands', rows)}\nRun '${path} COMMAND --help' for more information on a command.\n`;
}
