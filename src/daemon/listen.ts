import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer as createNetServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { conflict, invalid, type Logger, messageOf, unavailable } from '../common/index.ts';
import type { Settings } from './settings.ts';

/** First descriptor of socket activation (sd_listen_fds(3)). */
const FIRST_ACTIVATED = 3;
/** Docker's ports for tcp:// without one. */
const PORT = 2375;
const TLS_PORT = 2376;

export interface Listener {
  /** As people write it. */
  address: string;
  /** Takes no more clients; resolves when none is left. */
  close(): Promise<void>;
  /** Parts with those that are left, also with who has not ended a TLS handshake and so is no client of the API yet. */
  drop(): void;
}

type Wanted = Pick<Settings, 'hosts' | 'tls' | 'insecureTcp' | 'group'>;

/** Opens every socket asked for, or none. Connections are half-open: who has said all still gets its answer. */
export async function listenAll(
  settings: Wanted,
  accept: (socket: Socket) => void,
  log: Logger,
  env: NodeJS.ProcessEnv,
): Promise<Listener[]> {
  checkTcp(settings);
  const listeners: Listener[] = [];
  try {
    for (const host of settings.hosts) listeners.push(...(await listenOn(host, settings, accept, log, env)));
  } catch (error) {
    for (const listener of listeners) await listener.close();
    throw error;
  }
  return listeners;
}

/** An API on TCP without client certificates gives root to whoever reaches it. */
export function checkTcp({ hosts, tls, insecureTcp }: Pick<Settings, 'hosts' | 'tls' | 'insecureTcp'>): void {
  for (const host of hosts)
    if (host.startsWith('tcp://') && !tls.verify && !insecureTcp)
      throw invalid(
        `refusing to listen on ${host} without --tlsverify: anyone who reaches it would be root on this machine (--insecure-tcp allows it)`,
      );
}

async function listenOn(
  host: string,
  settings: Wanted,
  accept: (socket: Socket) => void,
  log: Logger,
  env: NodeJS.ProcessEnv,
): Promise<Listener[]> {
  const open = (options: ListenOptions) => openServer(host, options, undefined, accept);
  if (host.startsWith('fd://')) {
    const count = env.LISTEN_PID === String(process.pid) ? Number(env.LISTEN_FDS ?? 0) : 0;
    if (count === 0)
      throw unavailable('no sockets found via socket activation: make sure the service was started by systemd');
    return Promise.all(
      Array.from({ length: count }, (_, at) =>
        openServer(host, { fd: FIRST_ACTIVATED + at } as ListenOptions, undefined, accept),
      ),
    );
  }
  if (host.startsWith('unix://')) return [await listenUnix(host.slice('unix://'.length), settings, open)];
  const { tls } = settings;
  if (!tls.verify)
    log.warn(
      '[DEPRECATION NOTICE] the API listens on TCP without client verification: whoever reaches it is root on this machine',
      { host },
    );
  const [address, port] = tcpAddress(host, tls.enabled);
  return [await openServer(host, { host: address, port }, tls.enabled ? tls : undefined, accept)];
}

function tcpAddress(host: string, secure: boolean): [string, number] {
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:/]*))(?::(\d+))?\/?$/.exec(host);
  if (match === null) throw invalid(`invalid bind address (${host})`);
  return [match[1] ?? (match[2] || '127.0.0.1'), Number(match[3] ?? (secure ? TLS_PORT : PORT))];
}

async function listenUnix(
  path: string,
  { group }: Wanted,
  open: (options: ListenOptions) => Promise<Listener>,
): Promise<Listener> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  if (existsSync(path)) {
    if (!lstatSync(path).isSocket())
      throw conflict(`can't create unix socket ${path}: a file that is no socket is there`);
    if (await answers(path)) throw conflict(`can't create unix socket ${path}: another daemon listens on it`);
    rmSync(path);
  }
  const before = process.umask(0o777);
  let listener: Listener;
  try {
    listener = await open({ path });
  } finally {
    process.umask(before);
  }
  chownSync(path, 0, groupId(group));
  chmodSync(path, 0o660);
  return listener;
}

function groupId({ name, given }: Settings['group']): number {
  if (/^\d+$/.test(name)) return Number(name);
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  if (line !== undefined) return Number(line.split(':')[2]);
  if (given) throw invalid(`group ${name} not found`);
  return 0;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function openServer(
  address: string,
  options: ListenOptions,
  tls: Settings['tls'] | undefined,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  const read = (what: string, path: string) => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw invalid(`could not load ${what}: ${messageOf(error)}. Make sure it is there and readable`);
    }
  };
  const server: Server =
    tls === undefined
      ? createNetServer({ allowHalfOpen: true, noDelay: true }, accept)
      : createTlsServer(
          {
            cert: read('X509 certificate', tls.cert),
            key: read('X509 key', tls.key),
            minVersion: 'TLSv1.2',
            allowHalfOpen: true,
            ...(tls.verify ? { ca: read('CA certificate', tls.ca), requestCert: true, rejectUnauthorized: true } : {}),
          },
          accept,
        );
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...options, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve({
        address,
        close: () => new Promise((done) => server.close(() => done())),
        drop: () => {
          for (const socket of open) socket.destroy();
        },
      });
    });
  });
}
