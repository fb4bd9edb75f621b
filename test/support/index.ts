export * from './base-image.ts';
export * from './command.ts';
export * from './context-server.ts';
export * from './crafted-registry.ts';
export * from './daemon.ts';
export * from './docker-registry.ts';
export * from './tar-of.ts';
export * from './terminal.ts';
