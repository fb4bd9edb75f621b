/** Levenshtein distance; words here are a few letters long. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

/** ` (did you mean X?)` for a known word within two letters of the given one, else nothing (BuildKit util/suggest). */
export function suggestion(word: string, known: readonly string[]): string {
  const limit = 3;
  let best = limit;
  let found = '';
  for (const candidate of known) {
    const away = distance(word.toLowerCase(), candidate.toLowerCase());
    if (away < best) {
      best = away;
      found = candidate;
    }
  }
  return found === '' ? '' : ` (did you mean ${found}?)`;
}
