export { createEngine, type EmbeddedEngine, type EngineOptions } from './embed.ts';
