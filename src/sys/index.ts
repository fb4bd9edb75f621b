export * from './file-data.ts';
export * from './files.ts';
export * from './libc.ts';
export * from './mount.ts';
export * from './namespace.ts';
export * from './netlink.ts';
export * from './process.ts';
export * from './xattr.ts';
