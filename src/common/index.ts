export * from './errors.ts';
export * from './filters.ts';
export * from './go-bool.ts';
export * from './ids.ts';
export * from './leases.ts';
export * from './log.ts';
export * from './sizes.ts';
export * from './time.ts';
