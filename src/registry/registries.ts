import { STATUS_CODES } from 'node:http';
import { internal, invalid, type Logger, messageOf } from '../common/index.ts';
import type { RegistryAuth } from '../wire/index.ts';
import { Authorizer } from './authorizer.ts';
import { Connections } from './connections.ts';
import { credentialsOf } from './credentials.ts';
import { endpointsOf, HUB_REGISTRY } from './endpoints.ts';
import { NetworkError, shownUrl } from './failures.ts';
import { withRedirects } from './redirect.ts';
import { DEFAULT_DOMAIN, type Reference } from './reference.ts';
import { Repository } from './repository.ts';
import { withRetry } from './retry.ts';
import { type SearchOptions, type SearchResult, searchRegistry } from './search.ts';
import { sender } from './send.ts';
import type { Endpoint, Proxies, RegistryConfig, Reply, Transport } from './types.ts';

export interface AccessOptions {
  auth: RegistryAuth | undefined;
  /** Pushes go past the mirrors. */
  purpose: 'pull' | 'push';
  signal: AbortSignal;
}

export interface Registries {
  /**
   * Does the work with the first endpoint that can do it: a mirror that fails in any way is passed over. The error is the last
   * endpoint's.
   */
  with<T>(
    reference: Pick<Reference, 'domain' | 'path'>,
    options: AccessOptions,
    work: (repository: Repository) => Promise<T>,
  ): Promise<T>;
  /** Proves credentials; an identity token if the registry's token server gives one. */
  login(auth: RegistryAuth, signal: AbortSignal): Promise<{ identity: string | undefined }>;
  search(options: SearchOptions): Promise<SearchResult[]>;
  /** What any URL has, by the same proxies and certificates. Throws in dockerd's words. */
  open(url: string, signal: AbortSignal): Promise<Reply>;
  close(): Promise<void>;
}

const DEFAULT_ATTEMPTS = 5;

export function openRegistries(config: RegistryConfig, log: Logger): Registries {
  const attempts = config.attempts ?? DEFAULT_ATTEMPTS;
  const connections = new Connections(config.certDirs, config.proxies ?? proxiesOf(process.env));
  const plain = (insecure: boolean, tries: number) => withRetry(sender(connections, { insecure }), tries);

  /** Greets an endpoint; the transport to it, which answers what it asks for. */
  async function connect(
    endpoint: Endpoint,
    auth: RegistryAuth | undefined,
    signal: AbortSignal,
    offline = false,
  ): Promise<{ transport: Transport; authorizer: Authorizer; answer: number }> {
    const { insecure } = endpoint;
    const authorizer = new Authorizer(auth, plain(insecure, attempts), { offline });
    const hello = await plain(
      insecure,
      endpoint.mirror ? 1 : attempts,
    )({ method: 'GET', url: `${endpoint.url}/v2/`, signal });
    await hello.body.dump();
    authorizer.learn(hello.header('www-authenticate'));
    const transport = withRedirects(authorizer.wrap(plain(insecure, attempts)), plain(false, attempts));
    return { transport, authorizer, answer: hello.status };
  }

  return {
    async with(reference, { auth, purpose, signal }, work) {
      const endpoints = endpointsOf(reference.domain, config, purpose);
      let failure: unknown;
      for (const [index, endpoint] of endpoints.entries()) {
        let reached = false;
        try {
          // A mirror is not the registry that the credentials are for.
          const { transport } = await connect(endpoint, endpoint.mirror ? undefined : auth, signal);
          reached = true;
          return await work(new Repository(endpoint, reference.path, transport, attempts));
        } catch (error) {
          failure = error;
          // Plain HTTP is tried only where TLS did not come about.
          const next = endpoint.mirror || (!reached && error instanceof NetworkError);
          if (signal.aborted || !next || index === endpoints.length - 1) throw error;
          log.debug('next registry endpoint', { failed: shownUrl(endpoint.url), error: messageOf(error) });
        }
      }
      throw failure;
    },

    async login(auth, signal) {
      const domain = domainOf(auth.serveraddress ?? '');
      let failure: unknown;
      for (const endpoint of endpointsOf(domain, config, 'push')) {
        try {
          const { transport, authorizer } = await connect(endpoint, auth, signal, credentialsOf(auth) !== undefined);
          const url = `${endpoint.url}/v2/`;
          const reply = await transport({ method: 'GET', url, signal });
          await reply.body.dump();
          if (reply.status === 200) return { identity: authorizer.identity };
          throw internal(
            `login attempt to ${url} failed with status: ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`.trim(),
          );
        } catch (error) {
          failure = error;
          if (signal.aborted || !(error instanceof NetworkError)) throw error;
        }
      }
      throw failure;
    },

    search: (options) =>
      searchRegistry(options, {
        config,
        connect: async (endpoint, auth, signal) => (await connect(endpoint, auth, signal)).transport,
        plain: (endpoint) => plain(endpoint.insecure, attempts),
      }),

    async open(url, signal) {
      const reply = await withRedirects(plain(false, 1), plain(false, 1))({ method: 'GET', url, signal });
      if (reply.status >= 200 && reply.status < 300) return reply;
      await reply.body.dump();
      throw invalid(`failed to GET ${url} with status ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`.trim());
    },

    close: () => connections.close(),
  };
}

/** The registry that `docker login` names: a URL or a host; '' and the Hub's hosts are the Hub. */
function domainOf(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === '' || host === 'index.docker.io' || host === HUB_REGISTRY ? DEFAULT_DOMAIN : host;
}

const proxiesOf = (env: NodeJS.ProcessEnv): Proxies => ({
  http: env.HTTP_PROXY || env.http_proxy,
  https: env.HTTPS_PROXY || env.https_proxy,
  none: env.NO_PROXY || env.no_proxy,
});
