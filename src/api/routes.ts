import type { Engine } from '../engine/index.ts';
import { archiveRoutes } from './archive.ts';
import { attachRoutes } from './attach.ts';
import { buildRoutes } from './build.ts';
import { containerStreamRoutes } from './container-streams.ts';
import { containerRoutes } from './containers.ts';
import { eventRoutes } from './events.ts';
import { execRoutes } from './exec.ts';
import { imageStreamRoutes } from './image-streams.ts';
import { imageRoutes } from './images.ts';
import { networkRoutes } from './networks.ts';
import { registryRoutes } from './registry.ts';
import type { Route } from './router.ts';
import { swarmRoutes } from './swarm.ts';
import { systemRoutes } from './system.ts';
import { volumeRoutes } from './volumes.ts';

/** In the order in which patterns are tried: `/containers/json` before `/containers/{name...}`. */
export const allRoutes = (engine: Engine): Route[] => [
  ...systemRoutes(engine),
  ...eventRoutes(engine),
  ...attachRoutes(engine),
  ...containerStreamRoutes(engine),
  ...execRoutes(engine),
  ...archiveRoutes(engine),
  ...containerRoutes(engine),
  ...imageStreamRoutes(engine),
  ...imageRoutes(engine),
  ...networkRoutes(engine),
  ...volumeRoutes(engine),
  ...buildRoutes(engine),
  ...registryRoutes(engine),
  ...swarmRoutes(),
];
