import type { OpenNetworks } from './options.ts';
import { Networks } from './service.ts';
import type { NetworkService } from './types.ts';

/** Opens the networks of one daemon: predefined ones are made, bridges and rules put right. The caller then calls `reconcile`. */
export async function openNetworks(parts: OpenNetworks): Promise<NetworkService> {
  const service = new Networks(parts);
  service.start();
  return service;
}
