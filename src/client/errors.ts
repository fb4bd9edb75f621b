/** The daemon answered with an error; `message` is its own. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** No daemon could be reached. */
export class ConnectionError extends Error {
  override name = 'ConnectionError';
  readonly url: string;
  /** `absent`: nobody listens; `denied`: no permission for the socket; `tls`, `other`: see the message. */
  readonly reason: 'absent' | 'denied' | 'tls' | 'other';
  constructor(url: string, reason: ConnectionError['reason'], message: string, cause?: unknown) {
    super(message, { cause });
    this.url = url;
    this.reason = reason;
  }
}

/** Turns a socket error into one that says what happened and what to try. */
export function connectionError(url: string, error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error.name === 'AbortError' || code === 'ABORT_ERR') return error;
  if (code === 'EACCES' || code === 'EPERM')
    return new ConnectionError(
      url,
      'denied',
      `permission denied while trying to connect to the daemon socket at ${url}: use sudo, or join the group that owns the socket`,
      error,
    );
  if (['ENOENT', 'ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EAI_AGAIN'].includes(code))
    return new ConnectionError(
      url,
      'absent',
      `Cannot connect to the Gantry daemon at ${url}. Is gantryd running?`,
      error,
    );
  if (/CERT|SSL|TLS|SIGNED|ISSUER|EPROTO/.test(code) || /certificate|SSL/i.test(error.message))
    return new ConnectionError(
      url,
      'tls',
      `error during connect: ${error.message}: check --tlscacert, --tlscert and --tlskey`,
      error,
    );
  if (code === 'ECONNRESET' || code === 'EPIPE' || error.message === 'socket hang up')
    return new ConnectionError(
      url,
      'other',
      `error during connect: ${url}: the connection was closed before an answer came (does the daemon expect TLS?)`,
      error,
    );
  return new ConnectionError(url, 'other', `error during connect: ${url}: ${error.message}`, error);
}
