export { createEventBus } from './events.ts';
export { type EngineDefaults, type EngineParts, type OpenedEngine, openEngine } from './open.ts';
export { openSystem, type SystemFacts, type SystemParts } from './system/service.ts';
export type * from './types.ts';
