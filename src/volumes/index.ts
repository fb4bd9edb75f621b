export { openVolumes, type VolumesOptions } from './store.ts';
export type * from './types.ts';
