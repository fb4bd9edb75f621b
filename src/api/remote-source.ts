import { Readable } from 'node:stream';
import { invalid, messageOf, unavailable } from '../common/index.ts';
import type { Progress } from '../wire/index.ts';

/** Opens the URL of an import (`fromSrc`), reporting as moby's image importer does; a source without a scheme is http. */
export async function openRemote(source: string, progress: Progress, signal: AbortSignal): Promise<Readable> {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : `http://${source}`;
  if (!URL.canParse(text)) throw invalid(`invalid URL: ${source}`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid(`Get ${JSON.stringify(source)}: unsupported protocol scheme`);
  progress({ status: `Downloading from ${source}` });
  let answer: Response;
  try {
    answer = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw unavailable(`Get ${JSON.stringify(source)}: ${messageOf((error as Error).cause ?? error)}`, error);
  }
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw invalid(`failed to GET ${source} with status ${answer.status} ${answer.statusText}`);
  }
  const total = Number(answer.headers.get('content-length') ?? 0) || undefined;
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
