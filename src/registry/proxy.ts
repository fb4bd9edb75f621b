import { BlockList, isIP } from 'node:net';
import type { Proxies } from './types.ts';

/** The proxy for a URL, or undefined: Go's rules (golang.org/x/net/http/httpproxy), loopback is never proxied. */
export function proxyFor(url: URL, proxies: Proxies): string | undefined {
  const proxy = url.protocol === 'https:' ? proxies.https : proxies.http;
  if (!proxy) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (host === 'localhost' || /^127\./.test(host) || host === '::1') return undefined;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const entries = (proxies.none ?? '').split(',').map((entry) => entry.trim().toLowerCase());
  if (entries.some((entry) => entry !== '' && exempts(entry, host, port))) return undefined;
  return /^[a-z0-9+.-]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function exempts(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (inNetwork(host, entry)) return true;
  const match = /^(.*?)(?::(\d+))?$/.exec(entry);
  const name = isIP(entry) === 6 ? entry : (match?.[1] ?? entry);
  const wantedPort = isIP(entry) === 6 ? undefined : match?.[2];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const bare = name.replace(/^\*?\./, '');
  return name.startsWith('.') || name.startsWith('*.')
    ? host.endsWith(`.${bare}`)
    : host === bare || host.endsWith(`.${bare}`);
}

/** True if the address is in the CIDR; false if either is none. */
export function inNetwork(address: string, cidr: string): boolean {
  const match = /^(.+)\/(\d+)$/.exec(cidr);
  const family = isIP(match?.[1] ?? '');
  if (match === null || family === 0 || isIP(address) !== family) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  if (Number(match[2]) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(match[1]!, Number(match[2]), kind);
  return list.check(address, kind);
}
