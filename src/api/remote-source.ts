import { Readable } from 'node:stream';
import { invalid } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Progress } from '../wire/index.ts';

/** Opens the URL of an import (`fromSrc`), reporting as moby's image importer does; a source without a scheme is http. */
export async function openRemote(
  images: Engine['images'],
  source: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<Readable> {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : `http://${source}`;
  if (!URL.canParse(text)) throw invalid(`invalid URL: ${source}`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid(`Get ${JSON.stringify(source)}: unsupported protocol scheme`);
  const answer = await images.openUrl(url.href, signal);
  progress({ status: `Downloading from ${source}` });
  const total = Number(answer.header('content-length') ?? 0) || undefined;
  return Readable.from(
    counted(answer.body, (current) => progress({ status: 'Importing', progressDetail: { current, total } })),
    { objectMode: false },
  );
}

async function* counted(body: AsyncIterable<Uint8Array>, report: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    report(bytes);
    yield chunk;
  }
}
