export { createEventBus } from './events.ts';
export { type EngineDefaults, type EngineParts, openEngine, type OpenedEngine } from './open.ts';
export type * from './types.ts';
