export { openBuilder } from './service.ts';
export type * from './types.ts';
