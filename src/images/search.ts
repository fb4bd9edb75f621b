import { z } from 'zod';
import { type Filters, invalid, unavailable } from '../common/index.ts';
import { DEFAULT_DOMAIN, type RegistryClient } from '../registry/index.ts';
import type { RegistryAuth } from '../wire/index.ts';

/** The Hub's answer to `/v1/search`. */
const SearchAnswer = z.object({
  results: z.array(z.object({ name: z.string(), description: z.string().nullish(), star_count: z.number().nullish(), is_official: z.boolean().nullish(), is_automated: z.boolean().nullish() })).nullish(),
});
const Catalogue = z.object({ repositories: z.array(z.string()).nullish() });

export interface SearchResult {
  name: string;
  description: string;
  star_count: number;
  is_official: boolean;
  is_automated: boolean;
}

/** `docker search`: the Hub's search API, or, for a registry that has none, the names of its catalogue; the description says which. */
export async function searchRegistry(
  options: { term: string; limit?: number; filters: Filters; auth?: RegistryAuth; signal: AbortSignal },
  clientFor: (domain: string, path: string, auth: RegistryAuth | undefined) => RegistryClient,
): Promise<SearchResult[]> {
  const { term, limit = 25, filters, auth, signal } = options;
  filters.allow(['is-automated', 'is-official', 'stars']);
  if (limit < 1 || limit > 100) throw invalid(`limit ${limit} is outside the range of [1, 100]`);
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const remote = /[.:]/.test(first) || first === 'localhost';
  const domain = remote ? first : DEFAULT_DOMAIN;
  const words = remote ? term.slice(slash + 1) : term;
  const client = clientFor(domain, '', auth);
  const { status, body } = await client.json(`/v1/search?q=${encodeURIComponent(words)}&n=${limit}`, '', signal);
  const found = SearchAnswer.safeParse(body);
  if (status === 200 && found.success && found.data.results != null)
    return filtered(found.data.results.map((row) => ({ name: row.name, description: row.description ?? '', star_count: row.star_count ?? 0, is_official: row.is_official ?? false, is_automated: row.is_automated ?? false })), filters);
  const catalogue = await client.json('/v2/_catalog?n=1000', 'registry:catalog:*', signal);
  const names = Catalogue.safeParse(catalogue.body);
  if (catalogue.status !== 200 || !names.success) throw unavailable(`unexpected status code ${status}: the registry has neither a search nor a catalogue`);
  const rows = (names.data.repositories ?? []).filter((name) => name.includes(words)).slice(0, limit);
  return filtered(rows.map((name) => ({ name: remote ? `${domain}/${name}` : name, description: "from the registry's catalogue", star_count: 0, is_official: false, is_automated: false })), filters);
}

function filtered(rows: SearchResult[], filters: Filters): SearchResult[] {
  const official = filters.bool('is-official');
  const automated = filters.bool('is-automated');
  const stars = Number(filters.get('stars')[0] ?? 0);
  if (Number.isNaN(stars)) throw invalid(`invalid filter 'stars=${filters.get('stars')[0]}'`);
  return rows.filter((row) => (official === undefined || row.is_official === official) && (automated === undefined || row.is_automated === automated) && row.star_count >= stars);
}
