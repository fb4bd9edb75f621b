import { writeTar } from '../../src/archive/index.ts';

/** A tar of plain files by name, all of one time. */
export async function tarOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const items = Object.entries(files).map(([name, text]) => ({
    header: { name, mode: 0o644, mtime: { seconds: 1_000_000_000, nanoseconds: 0 } },
    body: Buffer.from(text),
  }));
  for await (const chunk of writeTar(items)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
