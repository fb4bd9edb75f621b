import type { Readable } from 'node:stream';
import type { CreateContainerBody, ImageDeleteItem, ImageSummary, RegistryAuth } from '../wire/index.ts';
import type { ImageHistoryItem, ImageInspect, PruneAnswer, SearchResult } from './answers.ts';
import { encodeFilters, type FilterMap } from './containers.ts';
import type { Transport } from './transport.ts';
import type { Answer, Query } from './types.ts';

/** `X-Registry-Auth`: base64url of JSON; an empty object for nobody. */
export const encodeAuth = (auth: Partial<RegistryAuth> | undefined): string =>
  Buffer.from(JSON.stringify(auth ?? {})).toString('base64url');

const at = (name: string, action: string): string =>
  `/images/${name.split('/').map(encodeURIComponent).join('/')}${action}`;
const platformJson = (platform: string | undefined): string | undefined => {
  if (platform === undefined || platform === '') return undefined;
  const [os, architecture, variant] = platform.split('/');
  return JSON.stringify({ os, architecture, ...(variant === undefined ? {} : { variant }) });
};

/** Images. Long calls answer with a stream of progress messages: read it with `jsonLines<ProgressMessage>`. */
export class ImagesApi {
  private readonly transport: Transport;
  constructor(transport: Transport) {
    this.transport = transport;
  }

  list(
    options: {
      all?: boolean;
      filters?: FilterMap;
      sharedSize?: boolean;
      manifests?: boolean;
      signal?: AbortSignal;
    } = {},
  ): Promise<ImageSummary[]> {
    const query = {
      all: options.all,
      filters: encodeFilters(options.filters),
      'shared-size': options.sharedSize,
      manifests: options.manifests,
    };
    return this.transport.json('GET', '/images/json', { query, signal: options.signal });
  }
  inspect(name: string, options: { platform?: string } = {}): Promise<ImageInspect> {
    return this.transport.json('GET', at(name, '/json'), { query: { platform: platformJson(options.platform) } });
  }
  history(name: string, options: { platform?: string } = {}): Promise<ImageHistoryItem[]> {
    return this.transport.json('GET', at(name, '/history'), { query: { platform: platformJson(options.platform) } });
  }
  tag(source: string, repository: string, tag: string): Promise<number> {
    return this.transport.done('POST', at(source, '/tag'), { query: { repo: repository, tag } });
  }
  remove(
    name: string,
    options: { force?: boolean; noPrune?: boolean; platforms?: readonly string[] } = {},
  ): Promise<ImageDeleteItem[]> {
    const platforms = options.platforms?.map((platform) => platformJson(platform)!);
    return this.transport.json('DELETE', at(name, ''), {
      query: { force: options.force, noprune: options.noPrune, platforms },
    });
  }
  pull(options: {
    image: string;
    tag?: string;
    platform?: string;
    auth?: Partial<RegistryAuth>;
    signal?: AbortSignal;
  }): Promise<Answer> {
    return this.transport.request('POST', '/images/create', {
      query: { fromImage: options.image, tag: options.tag, platform: options.platform?.toLowerCase() },
      headers: { 'x-registry-auth': encodeAuth(options.auth) },
      signal: options.signal,
    });
  }
  push(
    repository: string,
    options: { tag: string; platform?: string; auth?: Partial<RegistryAuth>; signal?: AbortSignal },
  ): Promise<Answer> {
    return this.transport.request('POST', at(repository, '/push'), {
      query: { tag: options.tag, platform: platformJson(options.platform) },
      headers: { 'x-registry-auth': encodeAuth(options.auth) },
      signal: options.signal,
    });
  }
  /** From a stream (`source` is `-`) or a URL that the daemon fetches. */
  import(options: {
    source: string;
    stream?: Readable;
    repository: string;
    tag: string;
    message?: string;
    changes: readonly string[];
    platform?: string;
    signal?: AbortSignal;
  }): Promise<Answer> {
    const query = {
      fromSrc: options.source,
      repo: options.repository,
      tag: options.tag,
      message: options.message,
      changes: options.changes,
      platform: options.platform?.toLowerCase(),
    };
    return this.transport.request('POST', '/images/create', {
      query,
      stream: options.stream,
      contentType: 'application/x-tar',
      signal: options.signal,
    });
  }
  load(tar: Readable, options: { quiet: boolean; platform?: string; signal?: AbortSignal }): Promise<Answer> {
    const query = { quiet: options.quiet ? '1' : '0', platform: platformJson(options.platform) };
    return this.transport.request('POST', '/images/load', {
      query,
      stream: tar,
      contentType: 'application/x-tar',
      signal: options.signal,
    });
  }
  save(names: readonly string[], options: { platform?: string; signal?: AbortSignal } = {}): Promise<Answer> {
    return this.transport.request('GET', '/images/get', {
      query: { names, platform: platformJson(options.platform) },
      signal: options.signal,
    });
  }
  search(
    term: string,
    options: { limit?: number; filters?: FilterMap; auth?: Partial<RegistryAuth> },
  ): Promise<SearchResult[]> {
    const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined;
    return this.transport.json('GET', '/images/search', {
      query: { term, limit, filters: encodeFilters(options.filters) },
      headers: { 'x-registry-auth': encodeAuth(options.auth) },
    });
  }
  prune(filters?: FilterMap): Promise<PruneAnswer> {
    return this.transport.json('POST', '/images/prune', { query: { filters: encodeFilters(filters) } });
  }
  commit(
    container: string,
    options: {
      repository?: string;
      tag?: string;
      comment?: string;
      author?: string;
      changes?: readonly string[];
      pause: boolean;
      config?: CreateContainerBody;
    },
  ): Promise<{ Id: string }> {
    const { repository, config, pause, ...rest } = options;
    const query = { container, repo: repository, ...rest, ...(pause ? {} : { pause: '0' }) };
    return this.transport.json('POST', '/commit', { query, body: config ?? null });
  }
  build(
    context: Readable | undefined,
    options: { query: Query; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Answer> {
    return this.transport.request('POST', '/build', { ...options, stream: context, contentType: 'application/x-tar' });
  }
  /** Gantry's own: as `build`, but only files come that the daemon lacks; status 202 says which (`wire/build-files.ts`). */
  buildFiles(
    body: Readable | Buffer,
    options: { query: Query; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Answer> {
    const contentType = 'application/octet-stream';
    return this.transport.request('POST', '/build/files', { ...options, stream: body, contentType });
  }
  /** Gantry's own: an image's file system as a tar. */
  tree(image: string, signal?: AbortSignal): Promise<Answer> {
    return this.transport.request('GET', '/build/tree', { query: { image }, signal });
  }
  /** Gantry's own: lends the coming build of this id a secret, of at most 500 KiB. */
  addBuildSecret(buildId: string, id: string, content: Buffer): Promise<number> {
    const query = { buildid: buildId, id };
    return this.transport.done('POST', '/build/secrets', {
      query,
      stream: content,
      contentType: 'application/octet-stream',
    });
  }
  cancelBuild(id: string): Promise<number> {
    return this.transport.done('POST', '/build/cancel', { query: { id } });
  }
  pruneBuildCache(options: {
    all: boolean;
    filters?: FilterMap;
    maxUsedSpace?: number;
    reservedSpace?: number;
    minFreeSpace?: number;
  }): Promise<PruneAnswer> {
    const query = {
      all: options.all,
      filters: encodeFilters(options.filters),
      'max-used-space': options.maxUsedSpace,
      'reserved-space': options.reservedSpace,
      'min-free-space': options.minFreeSpace,
    };
    return this.transport.json('POST', '/build/prune', { query });
  }
  /** What the registry knows of an image: the descriptor of its manifest or index. */
  distribution(name: string, auth?: Partial<RegistryAuth>): Promise<unknown> {
    return this.transport.json('GET', `/distribution/${name.split('/').map(encodeURIComponent).join('/')}/json`, {
      headers: { 'x-registry-auth': encodeAuth(auth) },
    });
  }
}
