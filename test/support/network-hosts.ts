import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, Filters, newId } from '../../src/common/index.ts';
import { parseAddress } from '../../src/network/address.ts';
import {
  type EndpointRequest,
  type NetworkEvent,
  type NetworkOptions,
  type NetworkService,
  openNetworks,
  type SandboxRequest,
  type SandboxState,
} from '../../src/network/index.ts';
import { openServerSocket, openTcpClient, openUdpClient } from '../../src/network/netns-socket.ts';
import { type Database, openDatabase } from '../../src/state/index.ts';
import { createNetworkNamespace, libc, releaseNetworkNamespace } from '../../src/sys/index.ts';

/** Hosts made of network namespaces, and a machine with Gantry's networks between them. Needs root. */
const CLONE_NEWNET = 0x40000000;

/** Puts this process's main thread into a fresh namespace: "the machine". Nothing of the real one is touched. */
export function becomeMachine(): void {
  if (Number(libc.func('int unshare(int)')(CLONE_NEWNET)) !== 0) throw new Error('unshare: these tests need root');
  run('ip link set lo up');
}

export function run(command: string, netnsPath?: string): string {
  const [file, ...args] = command.split(' ');
  const all = netnsPath === undefined ? [file!, ...args] : ['nsenter', `--net=${netnsPath}`, file!, ...args];
  return execFileSync(all[0]!, all.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
}

/** Another host, joined to the machine by a cable. */
export class OtherHost {
  readonly path: string;
  constructor(
    directory: string,
    name: string,
    cable: { machine: string; host: string; machine6: string; host6: string },
  ) {
    this.path = join(directory, name);
    createNetworkNamespace(this.path);
    run(`ip link add ${name} type veth peer name eth0`);
    const anchor = execFileSync('sh', ['-c', `nsenter --net=${this.path} sleep 60 >/dev/null 2>&1 & echo $!`], {
      encoding: 'utf8',
    }).trim();
    try {
      // `nsenter` must have joined before its namespace can be named by its pid.
      while (statSync(`/proc/${anchor}/ns/net`).ino !== statSync(this.path).ino) run('sleep 0.01');
      run(`ip link set eth0 netns ${anchor}`);
    } finally {
      process.kill(Number(anchor));
    }
    run(`ip addr add ${cable.machine} dev ${name}`);
    run(`ip -6 addr add ${cable.machine6} dev ${name} nodad`);
    run(`ip link set ${name} up`);
    run('ip link set lo up', this.path);
    run(`ip addr add ${cable.host} dev eth0`, this.path);
    run(`ip -6 addr add ${cable.host6} dev eth0 nodad`, this.path);
    run('ip link set eth0 up', this.path);
    run(`ip route add default via ${cable.machine.split('/')[0]}`, this.path);
    run(`ip -6 route add default via ${cable.machine6.split('/')[0]}`, this.path);
  }
  close(): void {
    releaseNetworkNamespace(this.path);
    rmSync(this.path, { force: true });
  }
}

/** The host beyond the machine that most tests call from: 203.0.113.2 and fd99::2, with the machine at .1 and ::1. */
export function openOutside(): { outside: OtherHost; close(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'gt-hosts-'));
  const outside = new OtherHost(directory, 'outside', {
    machine: '203.0.113.1/24',
    host: '203.0.113.2/24',
    machine6: 'fd99::1/64',
    host6: 'fd99::2/64',
  });
  return {
    outside,
    close() {
      outside.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A TCP server inside a namespace that tells each client its address. */
export async function tcpServer(
  netnsPath: string,
  port: number,
  options: { address?: string; word?: string } = {},
): Promise<Server> {
  const { fd } = openServerSocket(netnsPath, 'tcp', parseAddress(options.address ?? '0.0.0.0')!, port);
  const server = createServer((socket) => {
    // A client whose namespace went before its last packet came is waited for in vain.
    socket.unref();
    socket.on('error', () => {});
    socket.end(`${options.word ?? 'hello'} ${socket.remoteAddress}`);
  });
  await new Promise<void>((resolve) => server.listen({ fd }, resolve));
  return server;
}

/** What a TCP server says, or why it does not: `timeout`, `refused`. `undefined` namespace: the machine. */
export function tcpCall(
  netnsPath: string | undefined,
  address: string,
  port: number,
  timeoutMs = 10_000,
): Promise<string> {
  return new Promise((resolve) => {
    let socket: Socket;
    try {
      socket = new Socket({
        fd: openTcpClient(netnsPath, parseAddress(address)!, port),
        readable: true,
        writable: true,
      });
    } catch (error) {
      resolve((error as NodeJS.ErrnoException).code ?? 'error');
      return;
    }
    let text = '';
    const done = (result: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => done('timeout'), timeoutMs);
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done(error.code === 'ECONNREFUSED' ? 'refused' : (error.code ?? 'error')),
    );
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('end', () => done(text));
    // A half-made connection shows its refusal only when something is written.
    socket.write('x');
  });
}

/** A UDP echo inside a namespace: answers with the word and the peer's address. */
export async function udpServer(
  netnsPath: string,
  port: number,
  address = '0.0.0.0',
  word = 'udp',
): Promise<{ close(): void }> {
  const { fd } = openServerSocket(netnsPath, 'udp', parseAddress(address)!, port);
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (_, peer) => socket.send(`${word} ${peer.address}`, peer.port, peer.address));
  await new Promise<void>((resolve) => socket.bind({ fd }, resolve));
  return socket;
}

/** A client with one source port that asks again and again. */
export function udpClient(
  netnsPath: string,
  address: string,
  port: number,
): { send(): void; until(word: string): Promise<void>; close(): void } {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  const bound = new Promise<void>((resolve) => socket.bind({ fd: openUdpClient(netnsPath, 4) }, resolve));
  const send = (): void => void bound.then(() => socket.send('x', port, address, () => {}));
  return {
    send,
    until: (word) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`never heard ${word}`)), 20_000);
        const again = setInterval(send, 200);
        socket.on('message', (message) => {
          if (!message.toString().startsWith(word)) return;
          clearTimeout(timer);
          clearInterval(again);
          resolve();
        });
      }),
    close: () => socket.close(),
  };
}

export function udpCall(
  netnsPath: string | undefined,
  address: string,
  port: number,
  timeoutMs = 10_000,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const done = (result: string): void => {
      clearTimeout(timer);
      clearInterval(again);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(() => done('timeout'), timeoutMs);
    const send = (): void => socket.send('x', port, address, () => {});
    const again = setInterval(send, 300);
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'error'));
    // As a connected socket: an answer from another address is none.
    socket.on('message', (message, peer) => {
      if (peer.address === address) done(message.toString());
    });
    socket.bind({ fd: openUdpClient(netnsPath, address.includes(':') ? 6 : 4) }, send);
  });
}

/** True if one of a few pings is answered. */
export function ping(netnsPath: string | undefined, address: string): boolean {
  try {
    run(`busybox ping ${address.includes(':') ? '-6' : '-4'} -c 2 -i 0.2 -W 2 ${address}`, netnsPath);
    return true;
  } catch {
    return false;
  }
}

export type Wish = Partial<Omit<SandboxRequest, 'endpoints'>> & {
  networks?: (string | [string, Partial<EndpointRequest['settings']>])[];
};

/** Gantry's networks on the machine, with containers that are only namespaces. */
export class TestNetworks {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'gt-net-'));
  readonly events: NetworkEvent[] = [];
  readonly hostsChanged: [string, SandboxState][] = [];
  readonly log: string[] = [];
  readonly options: NetworkOptions;
  readonly instance: string;
  net!: NetworkService;
  db!: Database;

  private constructor(options: NetworkOptions, instance: string) {
    this.options = options;
    this.instance = instance;
  }

  static async open(options: NetworkOptions = {}, instance = 'test'): Promise<TestNetworks> {
    const networks = new TestNetworks(options, instance);
    await networks.start(() => false);
    return networks;
  }

  /** Starts (again), as a daemon with the same roots. */
  async start(running: (containerId: string) => boolean): Promise<void> {
    this.db = openDatabase(join(this.directory, 'state.db'));
    this.net = await openNetworks({
      db: this.db,
      execRoot: this.directory,
      dataRoot: this.directory,
      instance: this.instance,
      options: this.options,
      log: createLogger({ level: 'debug', format: 'text', write: (line) => this.log.push(line) }),
      emit: (event) => this.events.push(event),
      hostsChanged: (id, state) => this.hostsChanged.push([id, state]),
    });
    await this.net.reconcile(running);
  }

  /** As a daemon that goes while its containers run: what it has on the machine stays, its sockets close. */
  async abandon(): Promise<void> {
    await this.net.close();
    this.db.close();
  }

  request(name: string, wish: Wish = {}): SandboxRequest {
    const { networks = ['bridge'], ...rest } = wish;
    return {
      containerId: newId(),
      containerName: name,
      hostname: name,
      ports: {},
      exposed: [],
      publishAll: false,
      sysctls: {},
      dns: { servers: [], search: [], options: [] },
      extraHosts: [],
      ...rest,
      endpoints: networks.map((item) => {
        const [network, settings] = typeof item === 'string' ? [item, {}] : item;
        return { network, settings: settings as EndpointRequest['settings'] };
      }),
    };
  }

  async container(
    name: string,
    wish: Wish = {},
  ): Promise<SandboxState & { id: string; ip: (network?: string) => string }> {
    const request = this.request(name, wish);
    const state = await this.net.openSandbox(request);
    return {
      ...state,
      id: request.containerId,
      ip: (network = Object.keys(state.endpoints)[0]!) => state.endpoints[network]!.IPAddress,
    };
  }

  async create(name: string, body: Record<string, unknown> = {}): Promise<string> {
    return (await this.net.create({ Name: name, ...body } as Parameters<NetworkService['create']>[0])).Id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const network of await this.net.list(NO_FILTERS))
      for (const id of Object.keys((await this.net.inspect(network.Id, {})).Containers))
        await this.net.closeSandbox(id);
    await this.net.close();
    this.db.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const NO_FILTERS = new Filters();
