import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type EngineError, httpStatus, invalid, isKind, type Logger, messageOf, notFound } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { Call, type CallParts, responseOn } from './call.ts';
import { stopParserAt, takeBody } from './plain-hijack.ts';
import { Query } from './query.ts';
import { type Match, Router } from './router.ts';
import { allRoutes } from './routes.ts';
import { passOver, readRest } from './unread.ts';
import { NEWEST, parseVersion, TooOld, versionText } from './version.ts';

export interface ApiOptions {
  engine: Engine;
  log: Logger;
  /** Gantry's own version, for the Server header. */
  version: string;
  /** For the header Docker-Experimental. */
  experimental?: () => boolean;
}

/** The Engine API over any number of listening sockets, which the daemon owns. */
export interface Api {
  /** Serves a connection. The listening server must have been made with `allowHalfOpen`. */
  accept(socket: Socket): void;
  /** Ends idle connections; open ones get `graceMs` to finish. */
  close(graceMs: number): Promise<void>;
}

/** The engine's streams may be silent for hours, and a build context may take as long: only heads have a deadline. */
const HEAD_TIMEOUT_MS = 60_000;

export function createApi(options: ApiOptions): Api {
  const router = new Router(allRoutes(options.engine));
  const sockets = new Set<Socket>();
  const plain = new WeakSet<IncomingMessage>();
  const leavesHttp = (request: IncomingMessage) => find(router, request)?.route.hijack === true;
  const isPlain = (request: IncomingMessage) => {
    if (request.method !== 'POST' || request.headers['transfer-encoding'] !== undefined || !leavesHttp(request))
      return false;
    plain.add(request);
    return true;
  };
  const server: Server = createServer({
    requestTimeout: 0,
    headersTimeout: HEAD_TIMEOUT_MS,
    keepAliveTimeout: 0,
    maxHeaderSize: 1024 * 1024,
    // Only what may leave HTTP is taken off Node's hands; clients send Upgrade (h2c) with other requests too.
    shouldUpgradeCallback: leavesHttp,
  });
  server.timeout = 0;
  server.on('request', (request, response) => void answer(request, response));
  server.on('upgrade', (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket = duplex as Socket;
    if (head.length > 0) socket.unshift(head);
    socket.on('error', () => socket.destroy());
    if (!plain.has(request)) {
      void answer(request, responseOn(request, socket), { socket });
      return;
    }
    takeBody(request, socket).then(
      (body) => answer(request, responseOn(request, socket), { socket, body }),
      (error) => refuse(socket, error),
    );
  });
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => refuse(duplex as Socket, error));

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { socket, body }: Pick<CallParts, 'socket' | 'body'> = {},
  ): Promise<void> {
    const gone = new AbortController();
    const onClose = () => {
      if (!response.writableFinished) gone.abort(new DOMException('client is gone', 'AbortError'));
    };
    response.on('close', onClose);
    socket?.on('close', onClose);
    const plainHeaders = {
      'Api-Version': versionText(NEWEST),
      Ostype: 'linux',
      Server: `Gantry/${options.version} (linux)`,
    };
    let call: Call | undefined;
    try {
      const match = find(router, request);
      const query = new Query(request.url?.split('?').slice(1).join('?') ?? '');
      call = new Call({
        request,
        response,
        params: match?.params ?? {},
        query,
        version: NEWEST,
        signal: gone.signal,
        socket,
      });
      if (match === undefined) throw notFound('page not found');
      for (const [name, value] of Object.entries(plainHeaders)) response.setHeader(name, value);
      const version = parseVersion(match.version);
      response.setHeader('Docker-Experimental', String(options.experimental?.() ?? false));
      call = new Call({ request, response, params: match.params, query, version, signal: gone.signal, socket, body });
      options.log.debug(`Calling ${request.method} ${request.url}`);
      await match.route.handle(call);
    } catch (error) {
      // A hijacked connection's input is no body.
      if (socket === undefined) await readRest(request);
      fail(
        call ??
          new Call({
            request,
            response,
            params: {},
            query: new Query(''),
            version: NEWEST,
            signal: gone.signal,
            socket,
          }),
        error,
      );
    }
  }

  function fail(call: Call, error: unknown): void {
    const { method, url } = call.request;
    const status = httpStatus(error);
    if (call.signal.aborted && !call.response.writableFinished) {
      call.response.destroy();
      return;
    }
    if (status >= 500)
      options.log.error(`Handler for ${method} ${url?.split('?')[0]} returned error`, {
        error,
        kind: (error as EngineError).kind ?? 'internal',
      });
    if (isKind(error, 'internal') && error instanceof Error && error.stack !== undefined)
      options.log.debug('at', { stack: error.stack });
    call.fail(status, messageOf(error), error instanceof TooOld);
    if (!call.request.complete) passOver(call.request);
  }

  return {
    accept(socket) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      server.emit('connection', socket);
      stopParserAt(socket, isPlain);
    },
    async close(graceMs) {
      server.closeIdleConnections();
      const deadline = Date.now() + graceMs;
      while (sockets.size > 0 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 20));
      for (const socket of sockets) socket.destroy();
    },
  };
}

function find(router: Router, request: IncomingMessage): Match | undefined {
  const raw = request.url?.split('?')[0] ?? '/';
  let path: string;
  try {
    path = decodeURIComponent(raw.replace(/^[a-z]+:\/\/[^/]*/i, '')).replace(/\/{2,}/g, '/');
  } catch {
    throw invalid(`invalid URL escape in ${JSON.stringify(raw)}`);
  }
  return router.find(request.method ?? 'GET', path);
}

/** A request that Node's parser gave up on: cut off, or no HTTP at all. */
function refuse(socket: Socket, error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const cut = error.code === 'HPE_INVALID_EOF_STATE';
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'request header too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'request timeout']
        : [
            '400 Bad Request',
            cut ? 'unexpected EOF while reading the request' : `malformed HTTP request: ${error.message}`,
          ];
  const body = `${JSON.stringify({ message })}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
