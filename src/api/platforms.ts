import { z } from 'zod';
import { invalid, messageOf } from '../common/index.ts';
import { decode } from './json-body.ts';
import type { Query } from './query.ts';

/** An OCI platform as clients send it since API 1.46: a JSON object; the rest of the engine has it as `os/architecture/variant`. */
const RequestedPlatform = z.object({
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
});

/** The one platform of `platform`. Throws invalid in moby's words (api/server/httputils/form.go DecodePlatform). */
export function platformOf(query: Query): string | undefined {
  const given = query.all('platform').filter((text) => text !== '');
  if (given.length > 1) throw invalid('multiple platform parameters not supported');
  return given.map(decodePlatform)[0];
}

/** The platforms of `platforms`, as often as it is given. */
export const platformsOf = (query: Query): string[] =>
  query
    .all('platforms')
    .filter((text) => text !== '')
    .map(decodePlatform);

function decodePlatform(text: string): string {
  let parts: z.infer<typeof RequestedPlatform>;
  try {
    parts = decode(text, RequestedPlatform, 'v1.Platform');
  } catch (error) {
    throw invalid(`failed to parse platform: ${messageOf(error).replace(/^invalid JSON: /, '')}`, error);
  }
  const { os, architecture, variant } = parts;
  if (!os || !architecture) throw invalid('both OS and Architecture must be provided');
  return [os, architecture, variant].filter(Boolean).join('/');
}
