export type { CacheLimits } from './cache-limits.ts';
export { openBuilder } from './service.ts';
export type * from './types.ts';
