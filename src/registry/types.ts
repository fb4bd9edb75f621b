import type { Readable } from 'node:stream';

/**
 * Registry: references (`reference.ts`) and the client for what they name (OCI distribution-spec 1.1, Docker Registry API v2).
 *
 * A call goes through small layers, each a file: follow redirects → answer challenges (`authorizer.ts`) → try again what is
 * temporary (`retry.ts`) → send (`send.ts`, over the connections of `connections.ts`). `registries.ts` chooses the endpoint
 * (mirrors, TLS or not) and gives a `Repository`. Secrets live in `authorizer.ts` and `token.ts` only.
 */
export interface RegistryConfig {
  /** Hosts (`host`, `host:port`) and networks (CIDR) that may be spoken to with unverified TLS or without; loopback always. */
  insecure: readonly string[];
  /** URLs, asked before the Hub. */
  mirrors: readonly string[];
  /** Directories with `HOST[:PORT]/*.{crt,cert,key}`; all are read. */
  certDirs: readonly string[];
  /** Tries of one call or download. Default 5. */
  attempts?: number;
  /** Default: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment when the client is opened. */
  proxies?: Proxies;
}

export interface Proxies {
  http?: string;
  https?: string;
  /** Comma-separated, as Go reads NO_PROXY. */
  none?: string;
}

/** Where a registry is reached. */
export interface Endpoint {
  /** `https://host:port`, without a slash at the end. */
  url: string;
  /** TLS is not verified. */
  insecure: boolean;
  mirror: boolean;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One HTTP request; `body` is asked for again when the call is repeated. */
export interface Call {
  method: Method;
  url: string;
  headers?: Record<string, string>;
  body?: () => Promise<Readable | Buffer> | Readable | Buffer;
  /** Token scopes that it needs, e.g. `repository:library/busybox:pull`. */
  scopes?: readonly string[];
  signal: AbortSignal;
}

export interface Reply {
  status: number;
  /** Of the last request, after redirects. */
  url: string;
  header(name: string): string | undefined;
  body: Readable & { dump(): Promise<void>; text(): Promise<string> };
}

export type Transport = (call: Call) => Promise<Reply>;

export interface RemoteManifest {
  /** Of the bytes, verified. */
  digest: string;
  mediaType: string;
  bytes: Buffer;
}
