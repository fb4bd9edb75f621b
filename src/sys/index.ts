export * from './libc.ts';
export * from './mount.ts';
export * from './namespace.ts';
export * from './netlink.ts';
export * from './process.ts';
