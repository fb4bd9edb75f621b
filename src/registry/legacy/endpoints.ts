import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { DEFAULT_DOMAIN } from '../reference.ts';

export interface RegistryConfig {
  /** Hosts (`host:port`) and networks (CIDR) that may be spoken to without or with unverified TLS; 127.0.0.0/8 and ::1 always. */
  insecure: readonly string[];
  /** Asked before the Hub. */
  mirrors: readonly string[];
  certDirs: readonly string[];
}

/** Where a registry is reached; tried in order. */
export interface Endpoint {
  url: string;
  dispatcher: Dispatcher;
  mirror: boolean;
}

/** The Hub's registry host differs from its name (moby registry/config.go). */
const HUB = 'registry-1.docker.io';

function isInsecure(host: string, { insecure }: RegistryConfig): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || /^127\./.test(name) || name === '::1') return true;
  return insecure.some((entry) => entry === host || entry === name || inCidr(name, entry));
}

function inCidr(address: string, cidr: string): boolean {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr);
  if (match === null || !/^\d+\.\d+\.\d+\.\d+$/.test(address)) return false;
  const bits = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(match[2]));
  return Math.floor(bits(address) / size) === Math.floor(bits(match[1]!) / size);
}

/** `certs.d/HOST:PORT/*.crt` are authorities; `*.cert` with `*.key` the client's own (Docker's layout). */
function certificates(host: string, dirs: readonly string[]): { ca?: Buffer[]; cert?: Buffer; key?: Buffer } {
  const found: { ca?: Buffer[]; cert?: Buffer; key?: Buffer } = {};
  for (const dir of dirs.map((base) => join(base, host)).filter((path) => existsSync(path))) {
    for (const name of readdirSync(dir)) {
      if (name.endsWith('.crt')) found.ca = [...(found.ca ?? []), readFileSync(join(dir, name))];
      else if (name.endsWith('.cert')) {
        found.cert = readFileSync(join(dir, name));
        found.key = readFileSync(join(dir, name.replace(/\.cert$/, '.key')));
      }
    }
  }
  return found;
}

/** Endpoints by registry name; connections are kept between calls. */
export function createEndpoints(config: RegistryConfig): {
  of(domain: string, options?: { push?: boolean }): Endpoint[];
  close(): Promise<void>;
} {
  const known = new Map<string, Endpoint[]>();
  const agents: Dispatcher[] = [];
  const agent = (host: string, rejectUnauthorized: boolean): Dispatcher => {
    const connect = { rejectUnauthorized, ...certificates(host, config.certDirs), timeout: 15_000 };
    const options = { connect, connections: 16, bodyTimeout: 120_000, headersTimeout: 60_000 };
    const made =
      process.env.HTTP_PROXY || process.env.http_proxy || process.env.HTTPS_PROXY || process.env.https_proxy
        ? new EnvHttpProxyAgent(options)
        : new Agent(options);
    agents.push(made);
    return made;
  };
  const endpointsFor = (host: string, mirror: boolean): Endpoint[] => {
    if (!isInsecure(host, config)) return [{ url: `https://${host}`, dispatcher: agent(host, true), mirror }];
    return [
      { url: `https://${host}`, dispatcher: agent(host, existsCa(host, config)), mirror },
      { url: `http://${host}`, dispatcher: agent(host, false), mirror },
    ];
  };
  return {
    of(domain, { push = false } = {}) {
      const cached = known.get(domain) ?? endpointsFor(domain === DEFAULT_DOMAIN ? HUB : domain, false);
      known.set(domain, cached);
      if (domain !== DEFAULT_DOMAIN || push) return cached;
      return [
        ...config.mirrors.map(
          (text): Endpoint => ({
            url: text.replace(/\/+$/, ''),
            dispatcher: agent(new URL(text).host, !isInsecure(new URL(text).host, config)),
            mirror: true,
          }),
        ),
        ...cached,
      ];
    },
    close: async () => void (await Promise.all(agents.map((each) => each.destroy()))),
  };
}

const existsCa = (host: string, { certDirs }: RegistryConfig) => certDirs.some((dir) => existsSync(join(dir, host)));
