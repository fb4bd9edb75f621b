import type { Endpoint } from './types.ts';

/** Parses a daemon's address as Docker does (docker/cli opts/hosts.go). Throws Error with Docker's message. */
export function parseEndpoint(host: string, tls = false): Endpoint {
  const match = /^([a-z]+):\/\/(.*)$/.exec(host);
  if (!match) throw new Error(`unable to parse docker host \`${host}\``);
  const [, scheme, rest] = match as unknown as [string, string, string];
  if (scheme === 'unix') return { kind: 'unix', path: rest || '/var/run/docker.sock', url: host };
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') {
    const url = parseTcp(host, rest);
    const port =
      url.port === '' ? (scheme === 'https' ? 443 : scheme === 'http' ? 80 : tls ? 2376 : 2375) : Number(url.port);
    const name = url.hostname.replace(/^\[|\]$/g, '');
    return { kind: 'tcp', host: name, port, basePath: url.pathname.replace(/\/$/, ''), url: host };
  }
  if (scheme === 'ssh') {
    if (!/^ssh:\/\/[^/?#]/.test(host) || !URL.canParse(host)) throw new Error(`invalid SSH URL: ${host}`);
    const url = new URL(host);
    if (url.search !== '')
      throw new Error(`invalid SSH URL: query parameters are not allowed: "${url.search.slice(1)}"`);
    if (url.hash !== '') throw new Error(`invalid SSH URL: fragments are not allowed: "${url.hash.slice(1)}"`);
    if (url.password !== '') throw new Error('invalid SSH URL: plain-text password is not supported');
    if (url.hostname === '') throw new Error('invalid SSH URL: no host specified');
    return {
      kind: 'ssh',
      ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
      host: url.hostname.replace(/^\[|\]$/g, ''),
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      ...(url.pathname === '' || url.pathname === '/' ? {} : { path: url.pathname }),
      url: host,
    };
  }
  throw new Error(`invalid bind address format: ${host}`);
}

/** `HOST`, `HOST:PORT`, or `:PORT` of this machine, perhaps with a path. */
function parseTcp(host: string, rest: string): URL {
  const port = /^(?:[^/]*@)?(?:\[[^\]]*\]|[^/:]*):([^/]*)/.exec(rest)?.[1] ?? '';
  if (!/^\d*$/.test(port) || Number(port) > 65535)
    throw new Error(`parse ${JSON.stringify(host)}: invalid port ${JSON.stringify(`:${port}`)} after host`);
  const text = `http://${/^(?:[:/]|$)/.test(rest) ? 'localhost' : ''}${rest}`;
  if (!URL.canParse(text)) throw new Error(`parse ${JSON.stringify(host)}: invalid host`);
  return new URL(text);
}
