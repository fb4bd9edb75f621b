export * from './open.ts';
export type * from './options.ts';
export type * from './types.ts';
