/**
 * Go's text/tabwriter with padding by blanks: a cell ends with a tab; a column is a run of adjoining lines that have such a cell,
 * as wide as its widest cell plus `padding`, at least `minWidth`. The last cell of a line belongs to no column.
 */
export function tabulate(text: string, minWidth = 10, padding = 3): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  const measure = (from: number, to: number, column: number): void => {
    let line = from;
    while (line < to) {
      if (lines[line]!.length - 1 <= column) {
        line++;
        continue;
      }
      let end = line;
      let width = minWidth;
      let blank = true;
      while (end < to && lines[end]!.length - 1 > column) {
        const size = displayWidth(lines[end]![column]!);
        if (size > 0) blank = false;
        width = Math.max(width, size + padding);
        end++;
      }
      for (let row = line; row < end; row++) widths[row]![column] = blank && minWidth === 0 ? 0 : width;
      measure(line, end, column + 1);
      line = end;
    }
  };
  measure(0, lines.length, 0);
  return lines
    .map((cells, row) =>
      cells
        .map((cell, column) =>
          column === cells.length - 1 ? cell : cell + ' '.repeat(widths[row]![column]! - displayWidth(cell)),
        )
        .join(''),
    )
    .join('\n');
}

/** Go counts code points. */
const displayWidth = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};
