import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { basename } from 'node:path/posix';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalid, messageOf, unavailable } from '../common/index.ts';

export const isHttpUrl = (text: string): boolean => /^https?:\/\//.test(text);

/** Opens a URL; errors are Go's words. */
export async function openUrl(url: string, signal: AbortSignal): Promise<Response> {
  if (!URL.canParse(url)) throw invalid(`parse ${JSON.stringify(url)}: invalid URL`);
  let answer: Response;
  try {
    answer = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw unavailable(`Get ${JSON.stringify(url)}: ${messageOf((error as Error).cause ?? error)}`, error);
  }
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw invalid(`failed to GET ${url} with status ${answer.status} ${answer.statusText}`);
  }
  return answer;
}

/** The name that a fetched file gets in a directory. */
export function nameOfUrl(url: string): string {
  const name = basename(decodeURIComponent(new URL(url).pathname));
  if (name === '' || name === '/') throw invalid(`cannot determine filename from url: ${url}`);
  return name;
}

/** Fetches a file to `path`; its time is the server's Last-Modified. Throws if it does not match the checksum (`sha256:…`). */
export async function fetchFile(
  url: string,
  path: string,
  options: { checksum?: string; signal: AbortSignal },
): Promise<void> {
  const answer = await openUrl(url, options.signal);
  const hash = createHash('sha256');
  const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
  body.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(body, createWriteStream(path, { mode: 0o600 }), { signal: options.signal });
  const digest = `sha256:${hash.digest('hex')}`;
  if (options.checksum !== undefined && options.checksum !== digest)
    throw invalid(`digest mismatch ${digest}: ${options.checksum}`);
  const modified = Date.parse(answer.headers.get('last-modified') ?? '');
  const time = Number.isNaN(modified) ? 0 : modified / 1000;
  await utimes(path, time, time);
}
