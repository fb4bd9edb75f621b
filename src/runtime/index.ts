export * from './capabilities.ts';
export { openCgroups } from './cgroups.ts';
export { StartFailure } from './failure.ts';
export { type MonitorOptions, openMonitor } from './monitor.ts';
export { chooseRuntime, type ProbedRuntime, probeRuntime } from './probe.ts';
export { resourcesOf } from './resources.ts';
export * from './spec.ts';
export type * from './types.ts';
export * from './user.ts';
