export * from './base-image.ts';
export * from './command.ts';
export * from './daemon.ts';
export * from './docker-registry.ts';
export * from './registry.ts';
