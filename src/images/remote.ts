import { type Filters, invalid } from '../common/index.ts';
import { isIndex, parseReference, type Registries, type SearchResult, withDefaultTag } from '../registry/index.ts';
import { ImageConfig, Index, Manifest, type Platform, type RegistryAuth } from '../wire/index.ts';
import { parseDocument } from './remote-image.ts';
import type { ImageStore } from './types.ts';

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/** `docker search`, with its filters. */
export async function searchImages(
  { term, limit = DEFAULT_LIMIT, filters, auth, signal }: Parameters<ImageStore['search']>[0],
  registries: Registries,
): Promise<SearchResult[]> {
  filters.allow(['is-automated', 'is-official', 'stars']);
  if (limit < 1 || limit > MAX_LIMIT) throw invalid(`limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
  const wanted = matcher(filters);
  return (await registries.search({ term, limit, auth, signal })).filter(wanted);
}

function matcher(filters: Filters): (row: SearchResult) => boolean {
  const official = filters.bool('is-official');
  const automated = filters.bool('is-automated');
  const stars = filters.get('stars').map((text) => {
    if (!/^[+-]?\d+$/.test(text))
      throw invalid(`invalid filter 'stars=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    return Number(text);
  });
  return (row) =>
    (official === undefined || row.is_official === official) &&
    (automated === undefined || row.is_automated === automated) &&
    stars.every((least) => row.star_count >= least);
}

export async function loginTo(
  auth: RegistryAuth,
  signal: AbortSignal,
  registries: Registries,
): Promise<{ Status: string; IdentityToken: string }> {
  const { identity } = await registries.login(auth, signal);
  return { Status: 'Login Succeeded', IdentityToken: identity ?? '' };
}

/** `GET /distribution/{name}/json`: what a name is at its registry, without fetching it. */
export async function distributionOf(
  ref: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
  registries: Registries,
): Promise<unknown> {
  const reference = withDefaultTag(parseReference(ref));
  return await registries.with(reference, { auth, purpose: 'pull', signal }, async (repository) => {
    const found = await repository.manifest(reference.digest ?? reference.tag ?? 'latest', signal);
    const Descriptor = { mediaType: found.mediaType, digest: found.digest, size: found.bytes.length };
    if (isIndex(found.mediaType)) {
      const { manifests } = parseDocument(Index, found.bytes, 'image index');
      return { Descriptor, Platforms: manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform])) };
    }
    const { config } = parseDocument(Manifest, found.bytes, 'image manifest');
    return { Descriptor, Platforms: [await platformOf(config.digest, config.size)] };

    async function platformOf(digest: string, size: number): Promise<Platform> {
      const chunks: Buffer[] = [];
      let read = 0;
      for await (const chunk of (await repository.blob(digest, 0, signal)).stream) {
        read += chunk.length;
        if (read > size) throw invalid('image configuration is larger than its manifest says');
        chunks.push(chunk);
      }
      const { os, architecture, variant } = parseDocument(ImageConfig, Buffer.concat(chunks), 'image configuration');
      return { architecture, os, ...(variant ? { variant } : {}) };
    }
  });
}
