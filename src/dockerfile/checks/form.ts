import { shellWords } from '../lines.ts';
import type { LogicalLine } from '../types.ts';
import type { Warn } from './types.ts';

/** Rules about how an instruction is written, whatever it does. */
export function checkForm(lines: readonly LogicalLine[], warn: Warn): void {
  casing(lines, warn);
  for (const line of lines) {
    if (line.blankContinuation) warn('NoEmptyContinuation', { ...line, line: line.endLine }, 'Empty continuation line');
    const { name, rest } = instructionOf(line);
    if (name === 'MAINTAINER')
      warn('MaintainerDeprecated', line, 'Maintainer instruction is deprecated in favor of using label');
    if ((name === 'ENV' || name === 'LABEL') && shellWords(rest, '\\')[0]?.includes('=') === false)
      warn(
        'LegacyKeyValueFormat',
        line,
        `"${name} key=value" should be used instead of legacy "${name} key value" format`,
      );
  }
}

export function instructionOf({ text }: LogicalLine): { written: string; name: string; rest: string } {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(text);
  const written = match?.[1] ?? '';
  return { written, name: written.toUpperCase(), rest: match?.[2] ?? '' };
}

const isUpper = (text: string): boolean => text === text.toUpperCase();
const isLower = (text: string): boolean => text === text.toLowerCase();

function casing(lines: readonly LogicalLine[], warn: Warn): void {
  const written = lines.map((line) => instructionOf(line).written);
  const lower = written.filter(isLower).length;
  const upper = written.filter(isUpper).length;
  const [fits, majority] = lower > upper ? [isLower, 'lowercase'] : [isUpper, 'uppercase'];
  for (const [index, line] of lines.entries()) {
    const word = written[index]!;
    if (!fits(word))
      warn(
        'ConsistentInstructionCasing',
        line,
        `Command '${word}' should match the case of the command majority (${majority})`,
      );
    const as = word.toUpperCase() === 'FROM' ? /\s(as)\s+\S+\s*$/i.exec(line.text)?.[1] : undefined;
    if (as === undefined) continue;
    if ((isUpper(word) && !isUpper(as)) || (isLower(word) && !isLower(as)))
      warn('FromAsCasing', line, `'${as}' and '${word}' keywords' casing do not match`);
  }
}
