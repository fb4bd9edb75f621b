import { ContainersApi } from './containers.ts';
import { ImagesApi } from './images.ts';
import { NetworksApi, SystemApi, VolumesApi } from './objects.ts';
import { Transport } from './transport.ts';
import type { ClientOptions } from './types.ts';

/** All of one daemon. Holds no connection open between calls. */
export interface Client {
  readonly transport: Transport;
  readonly containers: ContainersApi;
  readonly images: ImagesApi;
  readonly volumes: VolumesApi;
  readonly networks: NetworksApi;
  readonly system: SystemApi;
}

/** A client for the daemon at `host`. Throws Error if the address makes no sense. */
export function createClient(options: ClientOptions): Client {
  const transport = new Transport(options);
  return {
    transport,
    containers: new ContainersApi(transport),
    images: new ImagesApi(transport),
    volumes: new VolumesApi(transport),
    networks: new NetworksApi(transport),
    system: new SystemApi(transport),
  };
}
