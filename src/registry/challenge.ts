/** One `WWW-Authenticate` challenge (RFC 7235 section 2.1). */
export interface Challenge {
  scheme: 'basic' | 'bearer';
  /** Names in lower case. */
  parameters: Record<string, string>;
}

const PARAMETER = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** Challenges that the client can answer, bearer first; a header may hold several. */
export function parseChallenges(header: string | undefined): Challenge[] {
  if (header === undefined) return [];
  const starts = [...header.matchAll(/(?:^|,\s*)(Basic|Bearer)(?=\s|$)/gi)];
  const found = starts.map((start, index): Challenge => {
    const text = header.slice(start.index + start[0].length, starts[index + 1]?.index);
    const parameters: Record<string, string> = {};
    for (const [, key = '', quoted, bare] of text.matchAll(PARAMETER))
      parameters[key.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
    return { scheme: start[1]!.toLowerCase() as Challenge['scheme'], parameters };
  });
  return found.sort((a, b) => Number(b.scheme === 'bearer') - Number(a.scheme === 'bearer'));
}

/** What RFC 6750 section 3.1 puts into the challenge when a token is not good enough. */
export function bearerError(header: string | undefined): { code: string; message: string } | undefined {
  for (const { scheme, parameters } of parseChallenges(header)) {
    if (scheme !== 'bearer') continue;
    const code = { invalid_token: 'UNAUTHORIZED', insufficient_scope: 'DENIED' }[parameters.error ?? ''];
    if (code !== undefined) return { code, message: parameters.error_description ?? '' };
  }
  return undefined;
}
