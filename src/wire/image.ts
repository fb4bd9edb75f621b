import { z } from 'zod';
import { ContainerConfig } from './container.ts';
import { opt, str } from './schema.ts';

/** OCI image-spec 1.1, descriptor.md. Sizes are bytes. */
export const Platform = z.object({
  architecture: z.string(),
  os: z.string(),
  'os.version': z.string().optional(),
  'os.features': z.array(z.string()).optional(),
  variant: z.string().optional(),
});
export type Platform = z.infer<typeof Platform>;
export const Descriptor = z.looseObject({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$|^sha512:[0-9a-f]{128}$/),
  size: z.number().int().nonnegative(),
  urls: z.array(z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: Platform.optional(),
  artifactType: z.string().optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;
/** OCI manifest or Docker schema 2 manifest. */
export const Manifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Manifest = z.infer<typeof Manifest>;
export const Index = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(Descriptor),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Index = z.infer<typeof Index>;

export const HistoryEntry = z.object({
  created: str,
  created_by: str,
  author: str,
  comment: str,
  empty_layer: opt(z.boolean()),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;
/** The image configuration blob (OCI config.md; Docker writes a superset, whose further fields are kept as they came). */
export const ImageConfig = z.looseObject({
  created: str,
  author: str,
  architecture: z.string().default(''),
  /** Old images, and some that tools make, name no system: it is the engine's own then. */
  os: z.string().default('linux'),
  variant: str,
  config: opt(ContainerConfig),
  rootfs: z.object({ type: z.string(), diff_ids: opt(z.array(z.string())) }),
  history: opt(z.array(HistoryEntry)),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

/** `GET /images/json`. */
export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  Created: number;
  Size: number;
  SharedSize: number;
  Containers: number;
  Labels: Record<string, string> | null;
}
export interface ImageDeleteItem {
  Untagged?: string;
  Deleted?: string;
}
/** Registry credentials (`X-Registry-Auth`, base64url JSON). Never logged. */
export const RegistryAuth = z.object({
  username: str,
  password: str,
  auth: str,
  email: str,
  serveraddress: str,
  identitytoken: str,
  registrytoken: str,
});
export type RegistryAuth = z.infer<typeof RegistryAuth>;
