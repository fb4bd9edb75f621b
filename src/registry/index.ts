export { credentialsOf } from './auth.ts';
export { MAX_MANIFEST, RegistryClient, type RemoteManifest } from './client.ts';
export { createEndpoints, type RegistryConfig } from './endpoints.ts';
export * from './reference.ts';
