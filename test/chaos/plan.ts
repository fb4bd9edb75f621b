/** Mulberry32: small, seedable; numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A generator for one part of a run: what it gives depends on the seed and on the part's numbers alone, never on what others drew. */
export function generatorFor(seed: number, ...part: readonly number[]): () => number {
  return generator(part.reduce((mixed, number) => Math.imul(mixed ^ number, 0x9e3779b1) + number, seed));
}

/** `start` twice: a container that runs is the interesting one. */
export const ACTIONS = [
  'create',
  'start',
  'start',
  'stop',
  'kill',
  'exec',
  'pause',
  'unpause',
  'restart',
  'rm',
] as const;
export type Action = (typeof ACTIONS)[number];

export const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)]!;
