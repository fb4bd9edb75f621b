export { chainIds } from './book.ts';
export { applyChanges } from './changes.ts';
export { DOCKER, isIndex, OCI } from './media-types.ts';
export { type ImagesOptions, layersOf, openImageStore } from './store.ts';
export type * from './types.ts';
