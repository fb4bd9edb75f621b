import { EngineError, type Filters, forbidden, internal, invalid, isKind, notFound, shortId } from '../common/index.ts';
import type { NetworkRecord, NetworkService, SandboxState } from '../network/index.ts';
import type { ConnectNetworkBody, CreateNetworkBody, EndpointSettings, NetworkInspect } from '../wire/index.ts';
import type { Container, ContainerBook } from './containers/book.ts';
import { isContainerMode, networkModeOf } from './containers/configure.ts';
import { type ContainerFiles, hostsText } from './containers/files.ts';
import type { EventBus, NetworksService } from './types.ts';

export interface NetworksParts {
  book: ContainerBook;
  networks: NetworkService;
  files: ContainerFiles;
  events: EventBus;
}

/** Networks as clients see them: containers on them count, also stopped ones that name them. */
export class NetworkUseCases implements NetworksService {
  readonly #parts: NetworksParts;
  constructor(parts: NetworksParts) {
    this.#parts = parts;
  }

  create(body: CreateNetworkBody): Promise<{ Id: string; Warning: string }> {
    return this.#parts.networks.create(body);
  }
  inspect(ref: string, options: { verbose?: boolean; scope?: string }): Promise<NetworkInspect> {
    return this.#parts.networks.inspect(ref, options);
  }
  list(filters: Filters): Promise<NetworkInspect[]> {
    return this.#parts.networks.list(filters);
  }

  async remove(ref: string): Promise<void> {
    const { name } = this.#parts.networks.resolve(ref);
    if (['bridge', 'host', 'none'].includes(name))
      throw forbidden(`${name} is a pre-defined network and cannot be removed`);
    const active = this.#parts.book
      .all()
      .filter((container) => container.running && Object.hasOwn(container.record.endpoints, name));
    if (active.length > 0) {
      const list = active
        .map(
          (container) =>
            `name:"${container.name}" id:"${shortId(this.#parts.networks.sandbox(container.id)?.endpoints[name]?.EndpointID ?? container.id)}"`,
        )
        .join(', ');
      throw forbidden(`error while removing network: network ${name} has active endpoints (${list})`);
    }
    await this.#parts.networks.remove(ref);
  }

  async prune(filters: Filters): Promise<{ NetworksDeleted: string[] }> {
    const pruned = await this.#parts.networks.prune(filters);
    this.#parts.events.emit({ type: 'network', action: 'prune', id: '', attributes: { reclaimed: '0' } });
    return pruned;
  }

  async connect(ref: string, body: ConnectNetworkBody): Promise<void> {
    const container = this.#parts.book.get(body.Container ?? '');
    const { name } = this.#parts.networks.resolve(ref);
    await container.exclusive(async () => {
      const { record } = container;
      const mode = networkModeOf(record.host);
      const others = Object.keys(record.endpoints).filter((other) => other !== name);
      if (isContainerMode(mode) || others.includes('host'))
        throw invalid(
          'container sharing network namespace with another container or host cannot be connected to any other network',
        );
      if (name === 'host' && !Object.hasOwn(record.endpoints, name))
        throw invalid('cannot connect container to host network - container must be created in host network mode');
      if (others.includes('none') || (name === 'none' && others.length > 0))
        throw invalid(
          'container cannot be connected to multiple networks with one of the networks in private (none) mode',
        );
      if (container.running && Object.hasOwn(record.endpoints, name))
        throw forbidden(`endpoint with name ${container.name} already exists in network ${name}`);
      const settings: EndpointSettings = body.EndpointConfig ?? {};
      this.#parts.networks.validate({ network: name, settings });
      if (container.running)
        this.#refreshHosts(container, await this.#parts.networks.connect(container.id, { network: name, settings }));
      record.endpoints[name] = settings;
      this.#parts.book.save(container);
    });
  }

  async disconnect(ref: string, body: { Container?: string; Force?: boolean }): Promise<void> {
    const container = body.Force
      ? this.#parts.book.find(body.Container ?? '')
      : this.#parts.book.get(body.Container ?? '');
    if (container === undefined) throw notFound(`endpoint ${body.Container} not found`);
    const name = this.#nameToLeave(ref, container, body.Force ?? false);
    await container.exclusive(async () => {
      const { record } = container;
      if (name === 'host' && container.running && Object.hasOwn(record.endpoints, name))
        throw invalid('cannot disconnect container from host network - container was created in host network mode');
      if (!Object.hasOwn(record.endpoints, name)) {
        throw internal(
          `container ${container.id} is not connected to ${container.running ? '' : 'the '}network ${name}`,
        );
      }
      if (container.running) this.#refreshHosts(container, await this.#parts.networks.disconnect(container.id, name));
      delete record.endpoints[name];
      this.#parts.book.save(container);
    });
  }

  #resolved(ref: string): NetworkRecord | undefined {
    try {
      return this.#parts.networks.resolve(ref);
    } catch (error) {
      if (isKind(error, 'not-found')) return undefined;
      throw error;
    }
  }

  /** A network that is gone can still be left by a stopped container. */
  #nameToLeave(ref: string, container: Container, force: boolean): string {
    const network = this.#resolved(ref);
    if (network !== undefined) return network.name;
    if (!container.running && Object.hasOwn(container.record.endpoints, ref)) return ref;
    if (container.running && !force) throw notFound(`network ${ref} not found`);
    throw internal(`container ${container.id} is not connected to the network ${ref}`);
  }

  #refreshHosts(container: Container, state: SandboxState): void {
    this.#parts.files.writeHosts(container.id, hostsText(state.hosts));
    this.#parts.files.writeResolvConf(container.id, state.resolvConf);
  }
}

/** Wraps a start's network error as Docker words it. */
export function networkFailure(error: unknown): EngineError {
  if (error instanceof EngineError)
    return new EngineError(
      error.kind,
      error.message.startsWith('failed to set up')
        ? error.message
        : `failed to set up container networking: ${error.message}`,
    );
  return invalid(`failed to set up container networking: ${(error as Error).message}`);
}
