import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { basename } from 'node:path/posix';
import { pipeline } from 'node:stream/promises';
import { invalid } from '../common/index.ts';
import type { ImageStore } from '../images/index.ts';

export const isHttpUrl = (text: string): boolean => /^https?:\/\//.test(text);

/** The name that a fetched file gets in a directory. */
export function nameOfUrl(url: string): string {
  if (!URL.canParse(url)) throw invalid(`parse ${JSON.stringify(url)}: invalid URL`);
  const name = basename(decodeURIComponent(new URL(url).pathname));
  if (name === '' || name === '/') throw invalid(`cannot determine filename from url: ${url}`);
  return name;
}

/** Fetches a file to `path`; its time is the server's Last-Modified. Throws if it does not match the checksum (`sha256:…`, or empty). */
export async function fetchFile(
  images: Pick<ImageStore, 'openUrl'>,
  url: string,
  path: string,
  options: { checksum: string; signal: AbortSignal },
): Promise<void> {
  const answer = await images.openUrl(url, options.signal);
  const hash = createHash('sha256');
  answer.body.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(answer.body, createWriteStream(path, { mode: 0o600 }), { signal: options.signal });
  const digest = `sha256:${hash.digest('hex')}`;
  if (options.checksum !== '' && options.checksum !== digest)
    throw invalid(`digest mismatch ${digest}: ${options.checksum}`);
  const modified = Date.parse(answer.header('last-modified') ?? '');
  const time = Number.isNaN(modified) ? 0 : modified / 1000;
  await utimes(path, time, time);
}
