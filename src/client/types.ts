/**
 * A client of the Engine API. One `Transport` is one daemon: it opens a connection per request (the hot commands make exactly one),
 * speaks HTTP/1.1 over a Unix socket, TCP, TLS or ssh, agrees on a version when the daemon refuses the newest, and can take a
 * connection over (hijack) for attach, exec and build sessions. The resource APIs on top of it are thin and typed.
 */
import type { Duplex, Readable } from 'node:stream';

/** Where a daemon listens. */
export type Endpoint =
  | { kind: 'unix'; path: string; url: string }
  | { kind: 'tcp'; host: string; port: number; basePath: string; url: string }
  | { kind: 'ssh'; user?: string; host: string; port?: number; path?: string; url: string };

/** Contents (not paths) of PEM files. */
export interface TlsMaterial {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  /** False takes any server certificate (`--tls` without `--tlsverify`). */
  verify: boolean;
}

export interface ClientOptions {
  /** `unix:///path`, `tcp://host:port`, `http(s)://…`, `ssh://[user@]host[:port]`. */
  host: string;
  tls?: TlsMaterial;
  /** Sent with every request. */
  headers?: Record<string, string>;
  userAgent?: string;
  /** Pins the API version (`1.43`) and turns negotiation off. */
  version?: string;
}

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface RequestOptions {
  query?: Query;
  /** A value is sent as JSON, a stream as it is. */
  body?: unknown;
  stream?: Readable | Buffer;
  contentType?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Statuses besides 2xx that are answers rather than errors, e.g. 304. */
  accept?: readonly number[];
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

/** A connection that left HTTP: raw both ways. Ending the writing side half-closes it. */
export interface Hijacked {
  stream: Duplex;
  /** `application/vnd.docker.multiplexed-stream` is framed (see demultiplex), `…raw-stream` is not. */
  contentType: string;
}
