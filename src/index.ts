/** What a program gets from the package `gantry`: an engine of its own. A client for any engine is at `gantry/client`. */
export { EngineError, type ErrorKind, Filters, isKind, type Logger } from './common/index.ts';
export { createEngine, type EmbeddedEngine, type EngineOptions } from './daemon/index.ts';
export type * from './engine/index.ts';
