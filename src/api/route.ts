import type { Call } from './call.ts';

/** One endpoint. Paths are find-my-way's; the version prefix is already off. */
export interface Route {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  handler: (call: Call) => Promise<void>;
}

export const route = (method: Route['method'], path: string, handler: Route['handler']): Route => ({ method, path, handler });
