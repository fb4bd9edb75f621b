import { mkdirSync, writeFileSync } from 'node:fs';
import { globalFlags } from '../src/cli/global-flags.ts';
import type { CommandSpec, FlagSpec } from '../src/cli/spec.ts';
import { findEntry, tree } from '../src/cli/tree.ts';

/**
 * Writes docs/man/gantry.1 and one page a command from the commands' own declarations (roff, man(7)).
 * usage: man.ts [folder]
 */
const folder = process.argv[2] ?? 'docs/man';
mkdirSync(folder, { recursive: true });

const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
const flagText = (flag: FlagSpec): string => {
  const value = flag.type === 'bool' ? '' : ` \\fI${roff(flag.type)}\\fR`;
  const names = [flag.short === undefined ? undefined : `\\fB\\-${flag.short}\\fR`, `\\fB\\-\\-${roff(flag.name)}\\fR`]
    .filter(Boolean)
    .join(', ');
  return `.TP\n${names}${value}\n${roff(flag.usage)}\n`;
};
const flagList = (flags: readonly FlagSpec[]): string =>
  flags
    .filter((flag) => !flag.hidden && flag.deprecated === undefined)
    .map(flagText)
    .join('');

function page(title: string, spec: CommandSpec): string {
  const aliases = (spec.aliases ?? []).map((name) => `gantry ${name}`).filter((name) => name !== title);
  let out = `.TH "${title.toUpperCase().replaceAll(' ', '\\-')}" "1" "" "Gantry" "Gantry manual"\n.SH NAME\n${roff(title.replaceAll(' ', '-'))} \\- ${roff(spec.short)}\n`;
  out += `.SH SYNOPSIS\n\\fB${roff(title)}\\fR ${roff(spec.use)}\n.SH DESCRIPTION\n${roff(spec.long ?? spec.short)}\n`;
  const flags = flagList(spec.flags);
  if (flags !== '') out += `.SH OPTIONS\n${flags}`;
  if (spec.examples?.length) out += `.SH EXAMPLES\n.nf\n${spec.examples.map(roff).join('\n')}\n.fi\n`;
  if (aliases.length > 0) out += `.SH ALIASES\n${roff(aliases.join(', '))}\n`;
  return `${out}.SH SEE ALSO\n.BR gantry (1)\n`;
}

let overview = `.TH "GANTRY" "1" "" "Gantry" "Gantry manual"\n.SH NAME\ngantry \\- a container engine's command line\n.SH SYNOPSIS\n\\fBgantry\\fR [OPTIONS] COMMAND [ARG...]\n.SH COMMANDS\n`;
let count = 0;
const visit = async (words: readonly string[]): Promise<void> => {
  const entry = findEntry(words);
  if (!entry || entry.hidden || entry.refused !== undefined) return;
  const title = `gantry ${words.join(' ')}`;
  if (entry.load) {
    writeFileSync(`${folder}/${title.replaceAll(' ', '-')}.1`, page(title, (await entry.load()).command));
    overview += `.TP\n\\fB${roff(title)}\\fR\n${roff(entry.short)}\n`;
    count++;
  }
  for (const child of entry.children ?? []) await visit([...words, child.name]);
};
for (const entry of tree) await visit([entry.name]);
writeFileSync(`${folder}/gantry.1`, `${overview}.SH OPTIONS\n${flagList(globalFlags)}`);
process.stdout.write(`${count + 1} manual pages in ${folder}\n`);
