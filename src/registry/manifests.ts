import { createHash } from 'node:crypto';
import { invalid, notFound } from '../common/index.ts';
import { failureOf, RegistryError } from './failures.ts';
import { isSchema1, MANIFEST_TYPES } from './media-types.ts';
import type { RemoteManifest, Reply } from './types.ts';

/** distribution-spec, "Pushing Manifests": what every registry takes; more is refused unread. */
export const MAX_MANIFEST = 4 * 1024 * 1024;

const SCHEMA_1_REFUSAL =
  'Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed: update the image to the OCI image-spec or Docker Image Manifest Version 2 Schema 2';

export const typeOf = (reply: Reply): string =>
  (reply.header('content-type') ?? '').split(';')[0]!.trim().toLowerCase();

export const digestOf = (bytes: Uint8Array, algorithm = 'sha256'): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;

/** The manifest of a good answer: its size, its type and its digest are looked at before anything reads it. */
export async function readManifest(reply: Reply, reference: string): Promise<RemoteManifest> {
  if (reply.status !== 200) throw await failureOf(reply);
  const announced = Number(reply.header('content-length') ?? 0);
  if (announced > MAX_MANIFEST) {
    reply.body.destroy();
    throw invalid(`manifest of ${announced} bytes is larger than the ${MAX_MANIFEST} bytes allowed`);
  }
  const bytes = await limited(reply);
  const mediaType = mediaTypeOf(reply, bytes);
  const [algorithm = ''] = reference.includes(':') ? reference.split(':') : ['sha256'];
  const digest = digestOf(bytes, algorithm);
  if (reference.includes(':') && digest !== reference)
    throw invalid(`manifest verification failed for digest ${reference}`);
  const said = reply.header('docker-content-digest');
  if (said?.startsWith('sha256:') && said !== digestOf(bytes))
    throw invalid(`manifest verification failed for digest ${said}`);
  return { digest, mediaType, bytes };
}

async function limited(reply: Reply): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MANIFEST) throw invalid(`manifest is larger than the ${MAX_MANIFEST} bytes allowed`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The header's type, which must be a manifest's and the one that the document names itself. */
function mediaTypeOf(reply: Reply, bytes: Buffer): string {
  const header = typeOf(reply);
  const inner = innerType(bytes);
  if (isSchema1(header)) throw invalid(SCHEMA_1_REFUSAL);
  const mediaType = MANIFEST_TYPES.includes(header) || inner === undefined ? header : inner;
  if (!MANIFEST_TYPES.includes(mediaType))
    throw invalid(`unsupported manifest media type and no default available: ${header || 'none'}`);
  if (header !== '' && header !== mediaType && header !== 'application/json' && header !== 'application/octet-stream')
    throw invalid(`unsupported manifest media type and no default available: ${header}`);
  if (inner !== undefined && inner !== mediaType)
    throw invalid(`manifest says media type ${inner} where its registry says ${mediaType}`);
  return mediaType;
}

function innerType(bytes: Buffer): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw invalid('manifest is not valid JSON');
  }
  const { mediaType } = (value ?? {}) as { mediaType?: unknown };
  return typeof mediaType === 'string' ? mediaType : undefined;
}

/** What a HEAD tells, or undefined when a GET must be asked (some registries know no HEAD or give no digest). */
export async function readHead(reply: Reply): Promise<{ digest: string; mediaType: string; size: number } | undefined> {
  await reply.body.dump();
  if (reply.status === 401 || reply.status === 429) throw await failureOf(reply);
  const digest = reply.header('docker-content-digest');
  const mediaType = typeOf(reply);
  if (reply.status !== 200 || digest === undefined || !MANIFEST_TYPES.includes(mediaType)) return undefined;
  return { digest, mediaType, size: Number(reply.header('content-length') ?? 0) };
}

export const isUnknownManifest = (error: unknown): boolean =>
  error instanceof RegistryError && (error.status === 404 || error.code === 'MANIFEST_UNKNOWN');

export const noPlatform = (platform: string) =>
  notFound(`no matching manifest for ${platform} in the manifest list entries`);
