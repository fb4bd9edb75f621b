/** A change of permissions as chmod(1) writes it: a number, or clauses that look at what was there. Plain data, for it goes to worker threads. */
export type ModeChange = number | readonly ModeClause[];

export interface ModeClause {
  /** The bits of u, g, o that it speaks of (`0o700`, `0o070`, `0o007` together). */
  who: number;
  operator: '+' | '-' | '=';
  /** Letters of `rwxXst` and, for a copy, `ugo`. */
  permissions: string;
}

const WHO: Record<string, number> = { u: 0o700, g: 0o070, o: 0o007, a: 0o777 };
const CLASSES: readonly (readonly [letter: string, shift: number])[] = [
  ['u', 6],
  ['g', 3],
  ['o', 0],
];

/** `u=rwX,go=rX`: undefined where it is none. Who is not named is everybody, whatever the umask. */
export function parseModeClauses(text: string): ModeClause[] | undefined {
  const clauses: ModeClause[] = [];
  for (const part of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(part);
    if (match === null) return undefined;
    const who = [...match[1]!].reduce((bits, letter) => bits | WHO[letter]!, 0) || 0o777;
    for (const [, operator, permissions] of match[2]!.matchAll(/([-+=])([rwxXstugo]*)/g))
      clauses.push({ who, operator: operator as ModeClause['operator'], permissions: permissions! });
  }
  return clauses;
}

/** The twelve permission bits after the change. */
export function changedMode(change: ModeChange, before: number, isDirectory: boolean): number {
  if (typeof change === 'number') return change;
  let mode = before & 0o7777;
  for (const { who, operator, permissions } of change) {
    const bits = bitsOf(permissions, who, mode, isDirectory);
    if (operator === '-') mode &= ~bits;
    else if (operator === '+') mode |= bits;
    else mode = (mode & ~(who | setIdsOf(who))) | bits;
  }
  return mode;
}

const setIdsOf = (who: number): number => ((who & 0o700) === 0 ? 0 : 0o4000) | ((who & 0o070) === 0 ? 0 : 0o2000);

function bitsOf(permissions: string, who: number, mode: number, isDirectory: boolean): number {
  let one = 0;
  let special = 0;
  for (const letter of permissions) {
    const copied = CLASSES.find(([name]) => name === letter);
    if (copied !== undefined) one |= (mode >> copied[1]) & 7;
    else if (letter === 'r') one |= 4;
    else if (letter === 'w') one |= 2;
    else if (letter === 'x' || (letter === 'X' && (isDirectory || (mode & 0o111) !== 0))) one |= 1;
    else if (letter === 's') special |= setIdsOf(who);
    else if (letter === 't') special |= 0o1000;
  }
  return ((one * 0o111) & who) | special;
}
