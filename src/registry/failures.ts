import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { EngineError, type ErrorKind, messageOf } from '../common/index.ts';
import { bearerError } from './challenge.ts';
import type { Call, Reply } from './types.ts';

/** What a registry said no with; `code` is the distribution-spec's (`MANIFEST_UNKNOWN`, `DENIED`, …) or ''. */
export class RegistryError extends EngineError {
  readonly code: string;
  readonly status: number;
  constructor(kind: ErrorKind, message: string, code: string, status: number) {
    super(kind, message);
    this.name = 'RegistryError';
    this.code = code;
    this.status = status;
  }
}

/** No answer came: the network, TLS or a proxy failed. `temporary`: trying again may help. */
export class NetworkError extends EngineError {
  readonly temporary: boolean;
  constructor(message: string, temporary: boolean, cause: unknown) {
    // Docker answers 500 here, and clients know it.
    super('internal', message, { cause });
    this.name = 'NetworkError';
    this.temporary = temporary;
  }
}

/** distribution registry/api/errcode: messages for codes that come without one. */
const STANDARD: Record<string, string> = {
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  TOOMANYREQUESTS: 'too many requests',
  UNKNOWN: 'unknown error',
};

const Body = z.object({
  errors: z.array(z.object({ code: z.string().default('UNKNOWN'), message: z.string().default('') })).nullish(),
  details: z.string().nullish(),
});

const MAX_ERROR_BYTES = 64 * 1024;

/** Status and words of Go's errcode.Error: `manifest unknown: manifest unknown`. */
const words = (code: string, message: string) =>
  `${code.toLowerCase().replaceAll('_', ' ')}: ${message || (STANDARD[code] ?? code.toLowerCase())}`;

function kindFor(code: string, status: number): ErrorKind {
  if (code === 'DENIED') return 'forbidden';
  if (code === 'UNAUTHORIZED' || status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 413) return 'too-large';
  return status >= 500 || status === 429 ? 'unavailable' : 'internal';
}

async function limitedText(reply: Reply): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ERROR_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    // An answer that breaks off is judged by what came of it.
  }
  return Buffer.concat(chunks).toString();
}

/** Reads an answer that is not what was asked for, in the words of Docker's client (distribution internal/client/errors.go). */
export async function failureOf(reply: Reply): Promise<RegistryError> {
  const { status } = reply;
  const text = await limitedText(reply);
  if (status < 400 || status >= 500)
    return new RegistryError(
      'unavailable',
      `received unexpected HTTP status: ${status} ${STATUS_CODES[status] ?? ''}`.trim(),
      '',
      status,
    );
  const oauth = bearerError(reply.header('www-authenticate'));
  if (oauth !== undefined)
    return new RegistryError(kindFor(oauth.code, status), words(oauth.code, oauth.message), oauth.code, status);
  const parsed = parseBody(text);
  if (typeof parsed?.details === 'string' && parsed.details !== '') {
    const code = status === 401 ? 'UNAUTHORIZED' : status === 429 ? 'TOOMANYREQUESTS' : 'UNKNOWN';
    return new RegistryError(kindFor(code, status), words(code, parsed.details), code, status);
  }
  const [first] = parsed?.errors ?? [];
  if (first !== undefined)
    return new RegistryError(kindFor(first.code, status), words(first.code, first.message), first.code, status);
  if (status === 401) return new RegistryError('unauthorized', words('UNAUTHORIZED', ''), 'UNAUTHORIZED', status);
  const why = parsed === undefined ? 'invalid character' : 'no error details found in HTTP response body';
  return new RegistryError(
    kindFor('', status),
    `error parsing HTTP ${status} response body: ${why}: ${JSON.stringify(text.slice(0, 200))}`,
    '',
    status,
  );
}

function parseBody(text: string): z.output<typeof Body> | undefined {
  try {
    return Body.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const title = (method: string) => method.charAt(0) + method.slice(1).toLowerCase();

/** The URL for people: no user, no query (it may hold a signature). */
export function shownUrl(text: string): string {
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** `Get "https://host/v2/": …`, as Go's client says. */
export const prefixOf = (call: Pick<Call, 'method' | 'url'>): string =>
  `${title(call.method)} ${JSON.stringify(shownUrl(call.url))}: `;

interface Cause extends Error {
  code?: string;
  address?: string;
  port?: number;
  hostname?: string;
  host?: string;
}

const UNTRUSTED = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
];
const PLAIN_HTTP = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST', 'EPROTO'];

/** Go's words for what went wrong below HTTP, which people search for. */
export function networkError(call: Pick<Call, 'method' | 'url'>, error: unknown): NetworkError {
  const cause = deepest(error);
  const { hostname, port, protocol } = new URL(call.url);
  const at = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  const say = (text: string, temporary: boolean) => new NetworkError(`${prefixOf(call)}${text}`, temporary, error);
  const code = cause.code ?? '';
  const peer = cause.address === undefined ? at : `${cause.address}:${cause.port}`;
  if (code === 'ECONNREFUSED') return say(`dial tcp ${peer}: connect: connection refused`, false);
  if (code === 'ENOTFOUND') return say(`dial tcp: lookup ${cause.hostname ?? hostname}: no such host`, false);
  if (code === 'EAI_AGAIN')
    return say(`dial tcp: lookup ${cause.hostname ?? hostname}: Temporary failure in name resolution`, false);
  if (code === 'ENETUNREACH') return say(`dial tcp ${peer}: connect: network is unreachable`, false);
  if (code === 'EHOSTUNREACH') return say(`dial tcp ${peer}: connect: no route to host`, false);
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return say(`dial tcp ${peer}: i/o timeout`, true);
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return say('net/http: timeout awaiting response headers', true);
  if (UNTRUSTED.includes(code))
    return say('tls: failed to verify certificate: x509: certificate signed by unknown authority', false);
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return say('tls: failed to verify certificate: x509: certificate has expired or is not yet valid', false);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return say(`tls: failed to verify certificate: x509: certificate is not valid for ${hostname}`, false);
  if (PLAIN_HTTP.includes(code)) return say('http: server gave HTTP response to HTTPS client', false);
  if (['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT'].includes(code))
    return say(code === 'ECONNRESET' ? 'read: connection reset by peer' : 'unexpected EOF', true);
  return say(messageOf(cause), false);
}

function deepest(error: unknown): Cause {
  let at = error;
  for (let depth = 0; depth < 5; depth++) {
    if (at instanceof AggregateError && at.errors.length > 0) at = at.errors[0];
    else if (at instanceof Error && at.cause instanceof Error) at = at.cause;
    else break;
  }
  return at instanceof Error ? at : new Error(String(at));
}
