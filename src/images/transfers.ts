import { type Logger, invalid, notFound, nowText, shortId } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { createEndpoints, DEFAULT_DOMAIN, familiarName, familiarString, parseReference, type Reference, RegistryClient, type RegistryConfig, withDefaultTag } from '../registry/index.ts';
import { type Descriptor, Index, Manifest, type Platform, type RegistryAuth } from '../wire/index.ts';
import type { ImageBook, StoredImage } from './book.ts';
import { isIndex, OCI } from './media-types.ts';
import { pullOne, pullStatus } from './pull.ts';
import { searchRegistry } from './search.ts';
import type { ImageStore } from './types.ts';

export interface TransferOptions extends RegistryConfig {
  maxDownloads: number;
  maxUploads: number;
}

interface TransferParts extends TransferOptions {
  book: ImageBook;
  content: ContentStore;
  layers: LayerStore;
  record: (configDigest: string, manifestDigest: string, tags: readonly string[]) => Promise<StoredImage>;
  emit: (action: string, id: string, attributes: Record<string, string>) => void;
  defaultPlatform: Platform;
  log: Logger;
}

/** At most `count` at a time. */
function limiter(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = Math.max(1, count);
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

function platformOf(text: string | undefined, otherwise: Platform): Platform {
  if (text === undefined || text === '') return otherwise;
  const [os = '', architecture, variant] = text.split('/');
  if (!/^[a-z0-9_]+$/i.test(os)) throw invalid(`"${text}": unknown operating system or architecture: invalid argument`);
  if (architecture === undefined) return os === 'linux' ? otherwise : { os: 'linux', architecture: os };
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

type Transfers = Pick<ImageStore, 'pull' | 'push' | 'search' | 'login' | 'distribution'>;

/** What moves images between this daemon and registries. */
export function openTransfers(parts: TransferParts): Transfers {
  const { book, content, layers, record, emit, defaultPlatform } = parts;
  const endpoints = createEndpoints(parts);
  const limitDown = limiter(parts.maxDownloads);
  const limitUp = limiter(parts.maxUploads);
  const shared = new Map<string, Promise<void>>();
  const clientFor = (reference: Reference, auth: RegistryAuth | undefined, push = false) => new RegistryClient(endpoints.of(reference.domain, { push }), reference.path, auth);

  const pull: Transfers['pull'] = async ({ image, tag, all, platform, auth, progress, signal }) => {
    const joined = tag === undefined || tag === '' ? image : `${image}${tag.includes(':') ? '@' : ':'}${tag}`;
    const given = parseReference(joined);
    const client = clientFor(given, auth);
    const references = all && given.tag === undefined && given.digest === undefined ? (await client.tags(signal)).map((each) => ({ ...given, tag: each })) : [withDefaultTag(given)];
    const name = familiarName(given);
    for (const reference of references) {
      progress({ status: `Pulling from ${reference.domain === DEFAULT_DOMAIN ? reference.path : reference.path}`, id: reference.digest ?? reference.tag ?? 'latest' });
      const lease = content.lease();
      try {
        const display = familiarString(reference);
        const before = safeFind(book, display);
        const { configDigest, manifestDigest, remoteDigest } = await pullOne(reference, { content, layers, client, lease, platform: platformOf(platform, defaultPlatform), progress, signal, limit: limitDown, shared });
        const stored = await record(configDigest, manifestDigest, reference.tag === undefined ? [] : [`${name}:${reference.tag}`]);
        book.name(stored.id, `${name}@${remoteDigest}`, 'digest', nowText());
        progress({ status: `Digest: ${remoteDigest}` });
        progress({ status: pullStatus(before, configDigest, display) });
        emit('pull', display, { name });
      } finally {
        lease.end();
      }
    }
  };

  const push: Transfers['push'] = async ({ image, tag, auth, progress, signal }) => {
    const given = parseReference(tag === undefined || tag === '' ? image : `${image}:${tag}`);
    const name = familiarName(given);
    progress({ status: `The push refers to repository [${given.domain}/${given.path}]` });
    const wanted =
      given.tag === undefined ? book.all().flatMap((each) => each.repoTags.filter((known) => familiarName(parseReference(known)) === name).map((known) => [each, parseReference(known).tag ?? 'latest'] as const)) : [[safeFind(book, familiarString(given)), given.tag] as const];
    if (wanted.length === 0) throw notFound(`An image does not exist locally with the tag: ${name}`);
    const client = clientFor(given, auth, true);
    for (const [stored, tagName] of wanted) {
      if (stored === undefined) throw notFound(`An image does not exist locally with the tag: ${name}`);
      await client.connect(signal);
      await Promise.all(stored.manifest.layers.toReversed().map((layer) => {
        const id = shortId(layer.digest);
        progress({ status: 'Preparing', id, progressDetail: {} });
        return limitUp(() => pushBlob(client, layer, otherRepository(stored, given), progress, signal, content, id));
      }));
      await pushBlob(client, { ...stored.manifest.config, digest: stored.id }, undefined, undefined, signal, content, '');
      const bytes = await content.read(stored.manifestDigest);
      await client.putManifest(tagName, stored.manifest.mediaType ?? OCI.manifest, bytes, signal);
      book.name(stored.id, `${name}@${stored.manifestDigest}`, 'digest', nowText());
      progress({ status: `${tagName}: digest: ${stored.manifestDigest} size: ${bytes.length}` });
      progress({ progressDetail: {}, aux: { Tag: tagName, Digest: stored.manifestDigest, Size: bytes.length } });
      emit('push', `${name}:${tagName}`, { name });
    }
  };

  return {
    pull,
    push,
    search: (wanted) => searchRegistry(wanted, (domain, path, auth) => new RegistryClient(endpoints.of(domain), path, auth)),
    async login(auth, signal) {
      const server = (auth.serveraddress ?? '').replace(/^https?:\/\//, '').replace(/\/.*$/, '');
      const domain = server === '' || server === 'index.docker.io' || server === 'registry-1.docker.io' ? DEFAULT_DOMAIN : server;
      await new RegistryClient(endpoints.of(domain, { push: true }), '', auth).ping(signal);
      return { Status: 'Login Succeeded', IdentityToken: '' };
    },
    async distribution(ref, auth, signal) {
      const reference = withDefaultTag(parseReference(ref));
      const client = clientFor(reference, auth);
      const found = await client.manifest(reference.digest ?? reference.tag ?? 'latest', signal);
      const index = isIndex(found.mediaType) ? Index.parse(JSON.parse(found.bytes.toString())) : undefined;
      const platforms = index?.manifests.map(({ platform }) => platform) ?? [];
      if (index === undefined) Manifest.parse(JSON.parse(found.bytes.toString()));
      return { Descriptor: { mediaType: found.mediaType, digest: found.digest, size: found.bytes.length }, Platforms: platforms };
    },
  };
}

const safeFind = (book: ImageBook, name: string): StoredImage | undefined => {
  try {
    return book.find(name);
  } catch {
    return undefined;
  }
};

/** A repository of the same registry that holds the image's layers already, to mount them from. */
function otherRepository(image: StoredImage, target: Reference): string | undefined {
  return image.repoDigests.map((name) => parseReference(name)).find(({ domain, path }) => domain === target.domain && path !== target.path)?.path;
}

async function pushBlob(
  client: RegistryClient,
  descriptor: Descriptor,
  from: string | undefined,
  progress: Parameters<Transfers['push']>[0]['progress'] | undefined,
  signal: AbortSignal,
  content: ContentStore,
  id: string,
): Promise<void> {
  if (await client.hasBlob(descriptor.digest, signal)) {
    progress?.({ status: 'Layer already exists', id, progressDetail: {} });
    return;
  }
  const size = (await content.size(descriptor.digest)) ?? descriptor.size;
  let last = 0;
  const open = async () => {
    const stream = await content.open(descriptor.digest);
    let sent = 0;
    stream.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      if (progress === undefined || Date.now() - last < 100) return;
      last = Date.now();
      progress({ status: 'Pushing', id, progressDetail: { current: sent, total: size } });
    });
    stream.pause();
    return stream;
  };
  const how = await client.upload(descriptor.digest, size, open, from, signal);
  progress?.({ status: how === 'mounted' ? `Mounted from ${from}` : 'Pushed', id, progressDetail: {} });
}
