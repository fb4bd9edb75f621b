import type { PassThrough } from 'node:stream';

/** The chunks of a source; `sink` gets each too, as `forSink` makes it, as long as it takes any. The slower reader sets the pace. */
export async function* teed(
  source: AsyncIterable<Buffer>,
  sink: PassThrough,
  forSink: (chunk: Buffer) => Uint8Array = (chunk) => chunk,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    if (!sink.destroyed && !sink.write(forSink(chunk))) await drained(sink);
    yield chunk;
  }
}

const drained = (sink: PassThrough): Promise<void> =>
  new Promise((resolve) => {
    const go = () => {
      sink.off('drain', go);
      sink.off('close', go);
      resolve();
    };
    sink.on('drain', go);
    sink.on('close', go);
  });

/** The chunks, with their sum so far told. */
export async function* counted(source: AsyncIterable<Buffer>, tell: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    tell(bytes);
    yield chunk;
  }
}
