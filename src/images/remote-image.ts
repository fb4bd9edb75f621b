import type { z } from 'zod';
import { type EngineError, forbidden, invalid, notFound } from '../common/index.ts';
import {
  familiarName,
  familiarString,
  isIndex,
  type Reference,
  RegistryError,
  type RemoteManifest,
  type Repository,
} from '../registry/index.ts';
import { type Descriptor, Index, Manifest, type Platform } from '../wire/index.ts';
import { isConfigType, isLayerType } from './media-types.ts';
import { choose, platformText } from './platform.ts';

/** What a registry has under a name, for one platform. */
export interface RemoteImage {
  /** Of what the name names: an index or a manifest. */
  namedDigest: string;
  manifest: Manifest;
  /** Its bytes, as they came. */
  bytes: Buffer;
  manifestDigest: string;
}

/** More layers than overlayfs can mount (a page of options is the limit) are refused before anything is fetched. */
const MAX_LAYERS = 500;

/** Fetches the manifest that a reference names, through an index if there is one; all of it verified. */
export async function fetchRemoteImage(
  repository: Repository,
  reference: Reference,
  platform: Platform,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const wanted = reference.digest ?? reference.tag ?? 'latest';
  const named = await repository.manifest(wanted, signal);
  const found = isIndex(named.mediaType) ? await fromIndex(repository, named, platform, signal) : named;
  const manifest = parseDocument(Manifest, found.bytes, 'image manifest');
  if (!isConfigType(manifest.config.mediaType)) throw invalid(`unsupported media type ${manifest.config.mediaType}`);
  if (manifest.layers.length > MAX_LAYERS)
    throw invalid(`max depth exceeded: an image of ${manifest.layers.length} layers`);
  for (const layer of manifest.layers) checkLayer(layer);
  return { namedDigest: named.digest, manifest, bytes: found.bytes, manifestDigest: found.digest };
}

async function fromIndex(
  repository: Repository,
  named: RemoteManifest,
  platform: Platform,
  signal: AbortSignal,
): Promise<RemoteManifest> {
  const index = parseDocument(Index, named.bytes, 'image index');
  const chosen = choose(index.manifests, platform);
  if (chosen === undefined)
    throw notFound(`no matching manifest for ${platformText(platform)} in the manifest list entries`);
  const found = await repository.manifest(chosen.digest, signal);
  if (isIndex(found.mediaType)) throw invalid('an image index inside an image index is not supported');
  if (found.bytes.length !== chosen.size)
    throw invalid(`manifest ${chosen.digest} has ${found.bytes.length} bytes where its index says ${chosen.size}`);
  return found;
}

function checkLayer({ mediaType, digest, urls }: Descriptor): void {
  if (!isLayerType(mediaType)) throw invalid(`unsupported media type ${mediaType}`);
  if (urls !== undefined && urls.length > 0)
    throw invalid(`layer ${digest} is kept at other places than its registry, which is not supported`);
}

/** A JSON document that must be of a kind; throws invalid naming what it was to be. */
export function parseDocument<S extends z.ZodType>(schema: S, bytes: Buffer, what: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw invalid(`${what} is not valid JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw invalid(`${what} is not valid${where}: ${issue?.message ?? 'unknown'}`);
}

/** A registry's no, in the words of `docker pull` (moby distribution/errors.go). */
export function pullRefusal(error: unknown, reference: Reference): unknown {
  if (!(error instanceof RegistryError)) return error;
  const said = (text: string): EngineError => notFound(`${text}: ${error.message}`);
  if (error.code === 'DENIED')
    return said(
      `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login'`,
    );
  if (error.code === 'MANIFEST_UNKNOWN') return said(`manifest for ${familiarString(reference)} not found`);
  if (error.code === 'NAME_UNKNOWN') return said(`repository ${familiarName(reference)} not found`);
  if (error.status === 403) return forbidden(error.message);
  return error;
}
