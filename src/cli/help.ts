import type { CommandSpec, FlagSpec } from './spec.ts';

/** What help says of a command: its declaration, its one line, and all its names (`container ls`, `ps`). */
export interface Described {
  spec: CommandSpec;
  short: string;
  names: readonly string[];
}

/** Help of a command, in Docker's layout, wrapped to `columns`. `path` is `gantry container ls`. */
export function commandHelp({ spec, short, names }: Described, path: string, columns: number): string {
  let out = `Usage:  ${usageLine(spec, path)}\n\n${(spec.long ?? short).trim()}\n`;
  if (names.length > 1) out += `\nAliases:\n  ${names.map((name) => `gantry ${name}`).join(', ')}\n`;
  if (spec.examples.length > 0) out += `\nExamples:\n${spec.examples.map((line) => `  ${line}\n`).join('')}`;
  const flags = flagHelp(spec.flags, columns);
  if (flags !== '') out += `\nOptions:\n${flags}`;
  return out;
}

/** `gantry container ls [OPTIONS]`. */
export const usageLine = (spec: CommandSpec, path: string): string => (spec.use === '' ? path : `${path} ${spec.use}`);

/** The flags' table, each wrapped under its own column (pflag FlagUsagesWrapped with cols = columns - 1). */
export function flagHelp(flags: readonly FlagSpec[], columns: number): string {
  const rows = flags
    .filter((spec) => !spec.hidden && spec.deprecated === undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((spec) => {
      const head = spec.short === undefined ? `      --${spec.name}` : `  -${spec.short}, --${spec.name}`;
      return { head: spec.type === 'bool' ? head : `${head} ${spec.type}`, usage: spec.usage };
    });
  const width = Math.max(0, ...rows.map(({ head }) => head.length));
  return rows
    .map(({ head, usage }) => `${head.padEnd(width)}   ${wrap(width + 3, columns - 1, usage)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

/** pflag's wrapping: text from column `indent` on, lines no wider than `width`, the last line may run over by a little. */
export function wrap(indent: number, width: number, text: string): string {
  let room = width - indent;
  let column = indent;
  let out = '';
  if (room < 24) {
    column = 16;
    room = width - column;
    out += `\n${' '.repeat(column)}`;
  }
  if (room < 24) return text.replaceAll('\n', out);
  const slop = 5;
  room -= slop;
  const margin = `\n${' '.repeat(column)}`;
  let [line, rest] = wrapOne(room, slop, text);
  out += line.replaceAll('\n', margin);
  while (rest !== '') {
    [line, rest] = wrapOne(room, slop, rest);
    out += margin + line.replaceAll('\n', margin);
  }
  return out;
}

function wrapOne(room: number, slop: number, text: string): [string, string] {
  if (room + slop > text.length) return [text, ''];
  const head = text.slice(0, room);
  const cut = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'));
  if (cut <= 0) return [text, ''];
  const line = head.lastIndexOf('\n');
  if (line > 0 && line < cut) return [text.slice(0, line), text.slice(line + 1)];
  return [text.slice(0, cut), text.slice(cut + 1)];
}

/** A list of commands under a heading. */
export function commandList(title: string, rows: readonly { name: string; short: string }[]): string {
  const column = Math.max(11, ...rows.map(({ name }) => name.length));
  return `\n${title}:\n${rows.map(({ name, short }) => `  ${name.padEnd(column)} ${short}\n`).join('')}`;
}
