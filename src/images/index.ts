export { chainIds } from './book.ts';
export { applyChanges } from './changes.ts';
export { startGc } from './gc.ts';
export { type GcPolicy, parseGcPolicy } from './gc-policy.ts';
export type { Keep } from './keeping.ts';
export { DOCKER, isIndex, OCI } from './media-types.ts';
export { applyMetadata, commandOf, workingDirectory } from './metadata.ts';
export { type ImagesOptions, openImageStore } from './store.ts';
export type * from './types.ts';
