export const API_VERSION = '1.51';
export const MIN_API_VERSION = '1.24';

/** Negative, zero or positive, as `1.9` < `1.24`. */
export function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}
