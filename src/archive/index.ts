export { writeXattr } from './attributes.ts';
export { decompress, detectCompression, peek } from './compression.ts';
export { gzip } from './gzip.ts';
export { looksLikeArchive } from './looks-like.ts';
export { changedMode, type ModeChange, parseModeClauses } from './mode-change.ts';
export { byteName, textOf } from './names.ts';
export { readTar, writeTar } from './stream.ts';
export {
  copyTree,
  extractInto,
  extractLayer,
  packDirectory,
  removeTree,
  settleLayer,
  treeChanges,
  treeSize,
} from './threads.ts';
export type * from './types.ts';
export { whiteoutOf } from './whiteouts.ts';
