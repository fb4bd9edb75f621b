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
export function connectionError(url: string, error: Error, secure = false): Error {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error.name === 'AbortError' || code === 'ABORT_ERR') return error;
  if (code === 'EACCES' || code === 'EPERM')
    return new ConnectionError(
      url,
      'denied',
      `permission denied while trying to connect to the daemon socket at ${url}: use sudo, or join the group that owns the socket`,
      error,
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new ConnectionError(
      url,
      'other',
      `error during connect: ${url}: the host's name could not be resolved`,
      error,
    );
  if (['ENOENT', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'].includes(code))
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
      `error during connect: ${url}: ${tlsWords(error)}\nCheck what --tlscacert, --tlscert and --tlskey (or DOCKER_CERT_PATH) name`,
      error,
    );
  if (code === 'ECONNRESET' || code === 'EPIPE' || error.message === 'socket hang up')
    return new ConnectionError(
      url,
      'other',
      `error during connect: ${url}: the connection was closed before an answer came${closedHint(url, secure)}`,
      error,
    );
  return new ConnectionError(url, 'other', `error during connect: ${url}: ${error.message}`, error);
}

/** What to look at where the other side hung up; on a socket of this machine it is nothing about certificates. */
function closedHint(url: string, secure: boolean): string {
  if (secure) return ' (does the daemon accept this certificate?)';
  return url.startsWith('tcp:') ? ' (does the daemon expect TLS?)' : '';
}

const UNKNOWN_AUTHORITY = 'x509: certificate signed by unknown authority';
const UNVERIFIED: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
};

/** What the field says of a failed handshake, where OpenSSL's own text names its source files. */
function tlsWords(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  const unverified = UNVERIFIED[code];
  if (unverified !== undefined) return `tls: failed to verify certificate: ${unverified}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { host = '', cert } = error as Error & { host?: string; cert?: { subjectaltname?: string } };
    const names = (cert?.subjectaltname ?? '').replace(/\b(?:DNS|IP Address):/g, '');
    return `tls: failed to verify certificate: x509: certificate is valid for ${names}, not ${host}`;
  }
  const alert = /:(?:tls|ssl)v?\d*(?: |_)?alert ([a-z ]+):|:(?:tls|ssl)v\d+ alert ([a-z ]+)/i.exec(error.message);
  if (alert) {
    const what = (alert[1] ?? alert[2] ?? '').trim().replace(/^unknown ca$/, 'unknown certificate authority');
    return `remote error: tls: ${what}`;
  }
  if (/wrong version number|packet length too long/i.test(error.message))
    return 'http: server gave HTTP response to HTTPS client';
  return error.message
    .trim()
    .replace(/^[0-9A-F]+:error:/, '')
    .split('\n')[0]!;
}
