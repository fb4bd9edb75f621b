import type { Dispatcher } from 'undici';
import { readCertificates } from './certificates.ts';
import { proxyFor } from './proxy.ts';
import type { Proxies } from './types.ts';

const CONNECT_MS = 15_000;
const HEADERS_MS = 60_000;
/** Between two chunks of a body. */
const IDLE_MS = 60_000;
const PER_ORIGIN = 16;

/** Kept-alive connections, by origin and by whether its certificate is looked at. */
export class Connections {
  readonly #certDirs: readonly string[];
  readonly #proxies: Proxies;
  readonly #open = new Map<string, Promise<Dispatcher>>();

  constructor(certDirs: readonly string[], proxies: Proxies) {
    this.#certDirs = certDirs;
    this.#proxies = proxies;
  }

  to(url: string, { insecure }: { insecure: boolean }): Promise<Dispatcher> {
    const target = new URL(url);
    const key = `${target.origin} ${insecure}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const opened = this.#connect(target, insecure);
    this.#open.set(key, opened);
    return opened;
  }

  async #connect(target: URL, insecure: boolean): Promise<Dispatcher> {
    // An HTTP client's memory and start are for those who use a registry.
    const { Agent, ProxyAgent } = await import('undici');
    const { ca, cert, key } = readCertificates(target.host, this.#certDirs);
    // A registry with an authority of its own in certs.d is verified by it, insecure or not.
    const tls = { rejectUnauthorized: !insecure || ca !== undefined, ca, cert, key };
    const proxy = proxyFor(target, this.#proxies);
    const limits = { connections: PER_ORIGIN, headersTimeout: HEADERS_MS, bodyTimeout: IDLE_MS };
    if (proxy !== undefined)
      // As Go does it: a tunnel for TLS only; many proxies let CONNECT through to no other port than 443.
      return new ProxyAgent({
        uri: proxy,
        proxyTunnel: target.protocol === 'https:',
        requestTls: { ...tls, timeout: CONNECT_MS },
        ...limits,
      });
    return new Agent({ connect: { ...tls, timeout: CONNECT_MS }, ...limits });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(async (opening) => (await opening).destroy()));
    this.#open.clear();
  }
}
