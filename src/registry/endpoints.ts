import { inNetwork } from './proxy.ts';
import { DEFAULT_DOMAIN } from './reference.ts';
import type { Endpoint, RegistryConfig } from './types.ts';

/** The Hub's registry and index hosts differ from its name (moby registry/config.go). */
export const HUB_REGISTRY = 'registry-1.docker.io';
export const HUB_INDEX = 'index.docker.io';

/** Networks that need no trusted TLS, always (moby registry/config.go). */
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** True for `localhost`, loopback addresses and what `--insecure-registry` names: `host`, `host:port` or a CIDR. */
export function isInsecure(host: string, insecure: readonly string[]): boolean {
  const name = hostName(host);
  if (name === 'localhost') return true;
  return [...LOOPBACK, ...insecure].some((entry) => entry === host || entry === name || inNetwork(name, entry));
}

const hostName = (host: string): string => host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

/** Where a registry may be reached, in the order of trying. Plain HTTP comes last, and for insecure ones only. */
export function endpointsOf(
  domain: string,
  config: Pick<RegistryConfig, 'insecure' | 'mirrors'>,
  purpose: 'pull' | 'push',
): Endpoint[] {
  const host = domain === DEFAULT_DOMAIN ? HUB_REGISTRY : domain;
  const insecure = isInsecure(host, config.insecure);
  const own: Endpoint[] = [{ url: `https://${host}`, insecure, mirror: false }];
  if (insecure) own.push({ url: `http://${host}`, insecure, mirror: false });
  if (domain !== DEFAULT_DOMAIN || purpose === 'push') return own;
  const mirrors = config.mirrors.map((url): Endpoint => {
    const text = url.replace(/\/+$/, '');
    return { url: text, insecure: isInsecure(new URL(text).host, config.insecure), mirror: true };
  });
  return [...mirrors, ...own];
}
