import { connect, createServer, type Server, type Socket } from 'node:net';
import { libc } from '../sys/index.ts';
import { addressFromBytes, formatAddress } from './address.ts';
import { type Publication, type Target, targetOf } from './relay-targets.ts';
import { UdpRelay } from './udp-relay.ts';

/**
 * Carries what rules cannot lead: IPv6 clients of containers without IPv6, ::1, a container that calls its own published port. nftables
 * redirects such connections to one port here; conntrack says where the client meant to go.
 */
const SOL_IP = 0;
const SOL_IPV6 = 41;
/** linux/netfilter_ipv4.h SO_ORIGINAL_DST, linux/netfilter_ipv6/ip6_tables.h IP6T_SO_ORIGINAL_DST. */
const ORIGINAL_DST = 80;
const getsockopt = libc.func('int getsockopt(int, int, int, void *, void *)');

function originalDestination(socket: Socket, family: 4 | 6): { ip: string; port: number } | undefined {
  // The descriptor has no public name in Node; SO_ORIGINAL_DST cannot be asked otherwise.
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0) return undefined;
  const size = family === 4 ? 16 : 28;
  const bytes = Buffer.alloc(size);
  const length = Buffer.from([size, 0, 0, 0]);
  if (Number(getsockopt(fd, family === 4 ? SOL_IP : SOL_IPV6, ORIGINAL_DST, bytes, length)) < 0) return undefined;
  const address = family === 4 ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
  return { ip: formatAddress(addressFromBytes(address)), port: bytes.readUInt16BE(2) };
}

/** Joins two connections; each half closes as its peer does. */
function carry(client: Socket, target: Target): void {
  const server = connect({ host: target.address, port: target.port, allowHalfOpen: true });
  const end = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on('error', end);
  server.on('error', end);
  client.on('close', () => server.destroy());
  server.on('close', () => client.destroy());
  client.pipe(server);
  server.pipe(client);
}

export class Relay {
  readonly #publications = new Map<string, Publication>();
  readonly #own = new Map<string, { close(): void }[]>();
  readonly #redirected: Server[] = [];
  port = 0;

  /** Listens for redirected connections, IPv4 and IPv6 at the same port. */
  async open(): Promise<void> {
    const four = this.#server(4);
    await listening(four, { host: '0.0.0.0', port: 0 });
    this.port = (four.address() as { port: number }).port;
    this.#redirected.push(four);
    const six = this.#server(6);
    try {
      await listening(six, { host: '::', port: this.port, ipv6Only: true });
      this.#redirected.push(six);
    } catch {
      // A machine without IPv6 has nothing to relay from it.
    }
  }

  #server(family: 4 | 6): Server {
    return createServer({ allowHalfOpen: true }, (client) => {
      const meant = originalDestination(client, family);
      // Whoever connects to the relay's port itself is nobody we know.
      const target =
        meant === undefined || meant.port === this.port
          ? undefined
          : targetOf(this.#publications.values(), 'tcp', meant.ip, meant.port);
      if (target === undefined) client.destroy();
      else carry(client, target);
    });
  }

  get idle(): boolean {
    return this.#publications.size === 0;
  }
  ids(): string[] {
    return [...this.#publications.keys()];
  }

  async publish(publication: Publication): Promise<void> {
    this.unpublish(publication.containerId);
    this.#publications.set(publication.containerId, publication);
    const own: { close(): void }[] = [];
    this.#own.set(publication.containerId, own);
    for (const { proto, hostIp, hostPort } of publication.listen) {
      const target = targetOf([publication], proto, hostIp, hostPort);
      if (target === undefined) continue;
      if (proto === 'tcp') {
        const server = createServer({ allowHalfOpen: true }, (client) => carry(client, target));
        own.push(server);
        await listening(server, { host: hostIp, port: hostPort, ipv6Only: true });
      } else own.push(UdpRelay.open(hostIp, hostPort, target));
    }
  }

  unpublish(containerId: string): void {
    for (const server of this.#own.get(containerId) ?? []) server.close();
    this.#own.delete(containerId);
    this.#publications.delete(containerId);
  }

  close(): void {
    for (const id of this.ids()) this.unpublish(id);
    for (const server of this.#redirected) server.close();
  }
}

function listening(server: Server, where: { host: string; port: number; ipv6Only?: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}
