import { globalFlags } from './global-flags.ts';
import type { CommandSpec, FlagSpec } from './spec.ts';
import { type Entry, isOffered, namesOf, tree } from './tree.ts';

/** A page of the manual: its file's name and its text in roff's man(7) macros. */
export interface ManualPage {
  file: string;
  text: string;
}

/** `gantry.1` and one page a command, made from the commands' own declarations. */
export async function manual(): Promise<ManualPage[]> {
  const pages: ManualPage[] = [];
  let overview = '';
  const visit = async (entry: Entry, words: readonly string[]): Promise<void> => {
    if (!isOffered(entry)) return;
    const title = ['gantry', ...words].join(' ');
    if (entry.load) {
      const { command } = await entry.load();
      pages.push({ file: `${title.replaceAll(' ', '-')}.1`, text: commandPage(title, command, entry) });
      overview += `.TP\n\\fB${roff(title)}\\fR\n${roff(entry.short)}\n`;
    }
    for (const child of entry.children ?? []) await visit(child, [...words, child.name]);
  };
  for (const entry of tree) await visit(entry, [entry.name]);
  const environment = ENVIRONMENT.map(([name, meaning]) => `.TP\n\\fB${name}\\fR\n${roff(meaning)}\n`).join('');
  const head = heading('gantry', "a container engine's command line");
  const synopsis = '.SH SYNOPSIS\n\\fBgantry\\fR [OPTIONS] COMMAND [ARG...]\n';
  pages.unshift({
    file: 'gantry.1',
    text: `${head}${synopsis}.SH COMMANDS\n${overview}.SH OPTIONS\n${flagList(globalFlags)}.SH ENVIRONMENT\n${environment}`,
  });
  return pages;
}

const ENVIRONMENT = [
  ['DOCKER_HOST', 'the address of the daemon, as --host'],
  ['DOCKER_CONTEXT', 'the context to use, as --context'],
  ['DOCKER_CONFIG', 'the folder of config.json, as --config'],
  ['DOCKER_TLS_VERIFY', 'use TLS and verify the daemon, as --tlsverify'],
  ['DOCKER_CERT_PATH', 'the folder of ca.pem, cert.pem and key.pem'],
  ['DOCKER_API_VERSION', 'the version of the API to speak, instead of asking the daemon'],
  ['GANTRY_NO_AUTOSTART', 'do not start gantryd when none answers'],
  ['NO_COLOR', 'no colours'],
] as const;

function commandPage(title: string, spec: CommandSpec, entry: Entry): string {
  const aliases = namesOf(entry)
    .map((name) => `gantry ${name}`)
    .filter((name) => name !== title);
  let out = heading(title, entry.short);
  out += `.SH SYNOPSIS\n\\fB${roff(title)}\\fR ${roff(spec.use)}\n`;
  out += `.SH DESCRIPTION\n.nf\n${roff(spec.long ?? entry.short)}\n.fi\n`;
  const flags = flagList(spec.flags);
  if (flags !== '') out += `.SH OPTIONS\n${flags}`;
  if (spec.examples.length > 0) out += `.SH EXAMPLES\n.nf\n${spec.examples.map(roff).join('\n')}\n.fi\n`;
  if (aliases.length > 0) out += `.SH ALIASES\n${roff(aliases.join(', '))}\n`;
  return `${out}.SH SEE ALSO\n.BR gantry (1)\n`;
}

const heading = (title: string, short: string): string =>
  `.TH "${title.toUpperCase().replaceAll(' ', '\\-')}" "1" "" "Gantry" "Gantry manual"\n` +
  `.SH NAME\n${roff(title.replaceAll(' ', '-'))} \\- ${roff(short)}\n`;

/** Text as roff prints it: its escape character and dashes doubled, no line that looks like a request. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

const flagList = (flags: readonly FlagSpec[]): string =>
  flags
    .filter((flag) => !flag.hidden && flag.deprecated === undefined)
    .map((flag) => {
      const value = flag.type === 'bool' ? '' : ` \\fI${roff(flag.type)}\\fR`;
      const short = flag.short === undefined ? '' : `\\fB\\-${flag.short}\\fR, `;
      return `.TP\n${short}\\fB\\-\\-${roff(flag.name)}\\fR${value}\n${roff(flag.usage)}\n`;
    })
    .join('');
