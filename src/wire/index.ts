export type * from './build-files.ts';
export * from './container.ts';
export * from './event.ts';
export * from './image.ts';
export * from './network.ts';
export * from './schema.ts';
export * from './volume.ts';
