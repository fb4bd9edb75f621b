import type { Readable } from 'node:stream';
import type {
  ConnectNetworkBody,
  CreateNetworkBody,
  CreateVolumeBody,
  EventMessage,
  NetworkInspect,
  RegistryAuth,
  Volume,
} from '../wire/index.ts';
import type { DiskUsage, InfoAnswer, PruneAnswer, VersionAnswer } from './answers.ts';
import { encodeFilters, type FilterMap } from './containers.ts';
import { jsonLines } from './streams.ts';
import { apiTimestamp } from './timestamps.ts';
import type { Transport } from './transport.ts';
import type { Answer, Hijacked } from './types.ts';

export class VolumesApi {
  private readonly transport: Transport;
  constructor(transport: Transport) {
    this.transport = transport;
  }
  list(filters?: FilterMap): Promise<{ Volumes: Volume[] | null; Warnings: string[] | null }> {
    return this.transport.json('GET', '/volumes', { query: { filters: encodeFilters(filters) } });
  }
  inspect(name: string): Promise<Volume> {
    return this.transport.json('GET', `/volumes/${encodeURIComponent(name)}`);
  }
  create(body: CreateVolumeBody): Promise<Volume> {
    return this.transport.json('POST', '/volumes/create', { body });
  }
  remove(name: string, force: boolean): Promise<number> {
    return this.transport.done('DELETE', `/volumes/${encodeURIComponent(name)}`, { query: { force } });
  }
  prune(filters?: FilterMap): Promise<PruneAnswer> {
    return this.transport.json('POST', '/volumes/prune', { query: { filters: encodeFilters(filters) } });
  }
  /** Gantry's extension: `GET /volumes/{name}/archive` is a tar of the volume's contents, names relative to its root. */
  export(name: string, signal?: AbortSignal): Promise<Answer> {
    return this.transport.request('GET', `/volumes/${encodeURIComponent(name)}/archive`, { signal });
  }
  /** Gantry's extension: `PUT /volumes/{name}/archive` unpacks a tar (plain or compressed) over what the volume holds. 200, no body. */
  import(name: string, tar: Readable, signal?: AbortSignal): Promise<number> {
    return this.transport.done('PUT', `/volumes/${encodeURIComponent(name)}/archive`, {
      stream: tar,
      contentType: 'application/x-tar',
      signal,
    });
  }
}

export class NetworksApi {
  private readonly transport: Transport;
  constructor(transport: Transport) {
    this.transport = transport;
  }
  list(filters?: FilterMap): Promise<NetworkInspect[]> {
    return this.transport.json('GET', '/networks', { query: { filters: encodeFilters(filters) } });
  }
  inspect(id: string, options: { verbose?: boolean; scope?: string } = {}): Promise<NetworkInspect> {
    return this.transport.json('GET', `/networks/${encodeURIComponent(id)}`, {
      query: { verbose: options.verbose ? 'true' : undefined, scope: options.scope },
    });
  }
  create(body: CreateNetworkBody): Promise<{ Id: string; Warning: string }> {
    return this.transport.json('POST', '/networks/create', { body });
  }
  remove(id: string): Promise<number> {
    return this.transport.done('DELETE', `/networks/${encodeURIComponent(id)}`);
  }
  connect(id: string, body: ConnectNetworkBody): Promise<number> {
    return this.transport.done('POST', `/networks/${encodeURIComponent(id)}/connect`, { body });
  }
  disconnect(id: string, container: string, force: boolean): Promise<number> {
    return this.transport.done('POST', `/networks/${encodeURIComponent(id)}/disconnect`, {
      body: { Container: container, Force: force },
    });
  }
  prune(filters?: FilterMap): Promise<PruneAnswer> {
    return this.transport.json('POST', '/networks/prune', { query: { filters: encodeFilters(filters) } });
  }
}

export class SystemApi {
  private readonly transport: Transport;
  constructor(transport: Transport) {
    this.transport = transport;
  }
  async ping(signal?: AbortSignal): Promise<void> {
    await this.transport.done('GET', '/_ping', { signal });
  }
  version(): Promise<VersionAnswer> {
    return this.transport.json('GET', '/version');
  }
  info(): Promise<InfoAnswer> {
    return this.transport.json('GET', '/info');
  }
  diskUsage(types?: readonly string[]): Promise<DiskUsage> {
    return this.transport.json('GET', '/system/df', { query: { type: types } });
  }
  login(auth: Partial<RegistryAuth>): Promise<{ Status: string; IdentityToken?: string }> {
    return this.transport.json('POST', '/auth', { body: auth });
  }
  /** Ends when the daemon ends it (`until`) or the signal fires. `opened` is called once the daemon listens for us. */
  async *events(
    options: { since?: string; until?: string; filters?: FilterMap; signal?: AbortSignal; opened?: () => void } = {},
  ): AsyncGenerator<EventMessage> {
    const query = {
      since: apiTimestamp(options.since),
      until: apiTimestamp(options.until),
      filters: encodeFilters(options.filters),
    };
    const answer = await this.transport.request('GET', '/events', { query, signal: options.signal });
    options.opened?.();
    yield* jsonLines<EventMessage>(answer.body);
  }
  plugins(filters?: FilterMap): Promise<Record<string, unknown>[]> {
    return this.transport.json('GET', '/plugins', { query: { filters: encodeFilters(filters) } });
  }
  /** A session of BuildKit's kind: HTTP/2 runs on the stream afterwards, the daemon being its client. */
  session(headers: Record<string, string>): Promise<Hijacked> {
    return this.transport.hijack('POST', '/session', { headers, protocol: 'h2c' });
  }
}
