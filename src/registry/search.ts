import { z } from 'zod';
import { internal, invalid } from '../common/index.ts';
import type { RegistryAuth } from '../wire/index.ts';
import { basicHeader, credentialsOf } from './credentials.ts';
import { endpointsOf, HUB_INDEX } from './endpoints.ts';
import { failureOf, NetworkError } from './failures.ts';
import { DEFAULT_DOMAIN } from './reference.ts';
import { nextPage } from './repository.ts';
import type { Endpoint, RegistryConfig, Reply, Transport } from './types.ts';

export interface SearchResult {
  name: string;
  description: string;
  star_count: number;
  is_official: boolean;
  is_automated: boolean;
}

export interface SearchOptions {
  /** `[registry/]words` */
  term: string;
  limit: number;
  auth: RegistryAuth | undefined;
  signal: AbortSignal;
}

interface Means {
  config: RegistryConfig;
  connect(endpoint: Endpoint, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<Transport>;
  plain(endpoint: Endpoint): Transport;
}

/** The Hub's answer to `/v1/search` (moby api/types/registry/search.go). */
const Answer = z.object({
  results: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().nullish(),
        star_count: z.number().nullish(),
        is_official: z.boolean().nullish(),
        is_automated: z.boolean().nullish(),
      }),
    )
    .nullish(),
});
const Catalogue = z.object({ repositories: z.array(z.string()).nullish() });
/** What the description of a row from a catalogue says, since such a registry knows none. */
const FROM_CATALOGUE = "(from the registry's catalogue: it has no search)";
const MAX_PAGES = 100;

/** Splits `registry/words` as moby's registry/search.go does. */
function splitTerm(term: string): { domain: string; words: string } {
  if (/^https?:\/\//.test(term))
    throw invalid(`invalid repository name: repository name (${term}) should not have a scheme`);
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const named = /[.:]/.test(first) || first === 'localhost';
  const domain = !named || first === HUB_INDEX ? DEFAULT_DOMAIN : first;
  const words = named ? term.slice(slash + 1) : term;
  return { domain, words: domain === DEFAULT_DOMAIN ? words.replace(/^library\//, '') : words };
}

/** The Hub's v1 search; of a registry without it the names in its catalogue, which each row says. */
export async function searchRegistry(options: SearchOptions, means: Means): Promise<SearchResult[]> {
  const { domain, words } = splitTerm(options.term);
  const hub = domain === DEFAULT_DOMAIN;
  const endpoints = hub
    ? [{ url: `https://${HUB_INDEX}`, insecure: false, mirror: false }]
    : endpointsOf(domain, means.config, 'push');
  let failure: unknown;
  for (const endpoint of endpoints) {
    try {
      const found = await byIndex(endpoint, words, options, means);
      if (found !== undefined) return found;
      return await byCatalogue(endpoint, domain, words, options, means);
    } catch (error) {
      failure = error;
      if (options.signal.aborted || !(error instanceof NetworkError)) throw error;
    }
  }
  throw failure;
}

async function byIndex(
  endpoint: Endpoint,
  words: string,
  { limit, auth, signal }: SearchOptions,
  means: Means,
): Promise<SearchResult[] | undefined> {
  const query = new URLSearchParams({ q: words, n: String(limit) });
  const credentials = credentialsOf(auth);
  const headers: Record<string, string> = credentials === undefined ? {} : { authorization: basicHeader(credentials) };
  const reply = await means.plain(endpoint)({
    method: 'GET',
    url: `${endpoint.url}/v1/search?${query}`,
    headers,
    signal,
  });
  const answer = reply.status === 200 ? Answer.safeParse(await jsonOf(reply)) : undefined;
  if (answer?.success && answer.data.results) {
    return answer.data.results.map((row) => ({
      name: row.name,
      description: row.description ?? '',
      star_count: row.star_count ?? 0,
      is_official: row.is_official ?? false,
      is_automated: row.is_automated ?? false,
    }));
  }
  if (answer === undefined) await reply.body.dump();
  if (endpoint.url === `https://${HUB_INDEX}`) throw internal(`Unexpected status code ${reply.status}`);
  return undefined;
}

async function byCatalogue(
  endpoint: Endpoint,
  domain: string,
  words: string,
  { limit, auth, signal }: SearchOptions,
  means: Means,
): Promise<SearchResult[]> {
  const transport = await means.connect(endpoint, auth, signal);
  const rows: SearchResult[] = [];
  let url: string | undefined = `${endpoint.url}/v2/_catalog?n=1000`;
  for (let page = 0; url !== undefined && page < MAX_PAGES && rows.length < limit; page++) {
    const reply: Reply = await transport({ method: 'GET', url, scopes: ['registry:catalog:*'], signal });
    if (reply.status === 404) {
      await reply.body.dump();
      throw internal(`Unexpected status code 404: ${domain} has neither a search nor a catalogue`);
    }
    if (reply.status !== 200) throw await failureOf(reply);
    const parsed = Catalogue.safeParse(await jsonOf(reply));
    if (!parsed.success) throw internal(`the catalogue of ${domain} is not valid`);
    for (const name of parsed.data.repositories ?? [])
      if (name.includes(words) && rows.length < limit)
        rows.push({
          name: `${domain}/${name}`,
          description: FROM_CATALOGUE,
          star_count: 0,
          is_official: false,
          is_automated: false,
        });
    url = nextPage(reply);
  }
  return rows;
}

async function jsonOf(reply: Reply): Promise<unknown> {
  const text = await reply.body.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
