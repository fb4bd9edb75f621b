export type { CacheLimits } from './cache-limits.ts';
export type { KeptContext } from './kept/contexts.ts';
export { openBuilder } from './service.ts';
export type * from './types.ts';
