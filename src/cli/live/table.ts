import { binarySize, size3 } from '../format/size.ts';
import { ellipsis } from '../format/text.ts';
import type { LiveRow } from './model.ts';

interface Column {
  title: string;
  /** The narrowest and the widest it may be. */
  least: number;
  most: number;
  right?: boolean;
  text(row: LiveRow): string;
}

const NAME: Column = { title: 'NAME', least: 10, most: 28, text: ({ container }) => nameOf(container.Names) };
const IMAGE: Column = { title: 'IMAGE', least: 8, most: 28, text: ({ container }) => container.Image };
const STATUS: Column = { title: 'STATUS', least: 10, most: 26, text: ({ container }) => container.Status };
const number = (title: string, least: number, text: (usage: NonNullable<LiveRow['usage']>) => string): Column => ({
  title,
  least,
  most: least,
  right: true,
  text: ({ usage }) => (usage === undefined ? '' : text(usage)),
});
const CPU = number('CPU', 7, ({ cpuPercent }) => `${cpuPercent.toFixed(1)}%`);
const MEMORY = number('MEMORY', 9, ({ memory }) => binarySize(memory));
const NET_IN = number('NET IN', 8, ({ received }) => size3(received));
const NET_OUT = number('NET OUT', 8, ({ sent }) => size3(sent));
const PIDS = number('PIDS', 5, ({ pids }) => String(pids));

const ORDER: readonly Column[] = [NAME, IMAGE, STATUS, CPU, MEMORY, NET_IN, NET_OUT, PIDS];
/** Where there is no room for all, the first of these are there. */
const WANTED: readonly Column[] = [NAME, CPU, MEMORY, STATUS, NET_IN, NET_OUT, IMAGE, PIDS];

export const nameOf = (names: readonly string[]): string => names[0]?.replace(/^\//, '') ?? '';

/** The heading and one line a container, no wider than `width`. */
export function liveTable(rows: readonly LiveRow[], width: number): { heading: string; lines: string[] } {
  const columns = fitting(width);
  const cells = (text: (column: Column) => string): string =>
    columns
      .map(([column, size]) => {
        const cell = ellipsis(text(column), size);
        return column.right ? cell.padStart(size) : cell.padEnd(size);
      })
      .join(' ');
  return { heading: cells(({ title }) => title), lines: rows.map((row) => cells((column) => column.text(row))) };
}

/** The columns that there is room for, in their order, and how wide each is. */
function fitting(width: number): (readonly [Column, number])[] {
  const chosen = new Set<Column>();
  let left = width + 1;
  for (const column of WANTED) {
    if (chosen.size > 0 && column.least + 1 > left) break;
    chosen.add(column);
    left -= column.least + 1;
  }
  return ORDER.filter((column) => chosen.has(column)).map((column) => {
    const more = Math.max(0, Math.min(left, column.most - column.least));
    left -= more;
    return [column, column.least + more] as const;
  });
}
