import type { BuildChecks } from '../../wire/index.ts';

/** `build --check`: each warning with its place in the file, in buildx's form. */
export function checksText({ warnings, source, filename, error }: BuildChecks): string {
  const count = warnings.length;
  const found =
    count === 0
      ? 'no warnings found.'
      : count === 1
        ? '1 warning has been found!'
        : `${count} warnings have been found!`;
  const parts = count === 0 && error !== undefined ? [] : [`Check complete, ${found}\n`];
  for (const { rule, url, detail, start, end } of warnings)
    parts.push(`\nWARNING: ${rule} - ${url}\n${detail}\n${place(source, filename, start, end)}\n`);
  return parts.join('');
}

/** Why the file would not build. */
export const checkError = ({ error, source, filename }: BuildChecks): string | undefined =>
  error?.line === undefined ? error?.message : `${error.message}\n${place(source, filename, error.line, error.line)}`;

/** After a build: what was noticed, a line each. */
export function warningsText({ warnings }: BuildChecks, colours: boolean): string {
  if (warnings.length === 0) return '';
  const head = ` ${warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`} found (use --check to expand):`;
  const lines = warnings.map(({ rule, detail, start }) => ` - ${rule}: ${detail} (line ${start})\n`);
  return `\n${colours ? `\u001b[33m${head}\u001b[0m` : head}\n${lines.join('')}`;
}

/** The lines meant and some around them, as BuildKit shows a place: two on either side of one line, one of several. */
function place(source: string, filename: string, start: number, end: number): string {
  const lines = source.split('\n');
  const wanted = start === end ? 4 : 2;
  let [first, last] = [start, end];
  for (let taken = 0; taken < wanted; taken++) {
    if (first > 1) {
      first--;
      taken++;
    }
    if (last < lines.length) {
      last++;
      taken++;
    }
  }
  const shown = lines.slice(first - 1, last).map((text, index) => {
    const number = first + index;
    return `${String(number).padStart(4)} | ${number >= start && number <= end ? '>>>' : '   '} ${text}`;
  });
  return [`${filename}:${start}`, '-'.repeat(20), ...shown, '-'.repeat(20)].join('\n');
}
