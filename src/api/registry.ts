import type { Engine } from '../engine/index.ts';
import { RegistryAuth } from '../wire/index.ts';
import { type Route, route } from './router.ts';

export const registryRoutes = ({ images }: Pick<Engine, 'images'>): Route[] => [
  route('POST', '/auth', async (call) => {
    const auth = await call.body(RegistryAuth, 'registry.AuthConfig');
    call.json(await images.login(auth, call.signal));
  }),
  route('GET', '/distribution/{name...}/json', async (call) =>
    call.json(await images.distribution(call.name, call.registryAuth(), call.signal)),
  ),
];
