import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeTar } from '../../src/archive/index.ts';

/** One path of a context or of the base image. A name ending with `/` is a directory. */
interface SourceEntry {
  path: string;
  /** Octal. */
  mode?: string;
  /** Target of a symbolic link. */
  link?: string;
  text?: string;
  base64?: string;
  /** A file of this machine whose content is taken. */
  host?: string;
}

/** A path of a built image, as the reference's `save` shows it; times are left out. */
export interface TreeEntry {
  type: string;
  mode?: string;
  uid: number;
  gid: number;
  size?: number;
  sha256?: string;
  target?: string;
  dev?: [number, number];
  /** The first of the names of one file. */
  hardlink_group?: string;
}

export type Tree = Record<string, TreeEntry>;

/** What the reference made of a case. */
export interface Expectation {
  /** Its message, if it refused; only that it did counts. */
  error?: string;
  /** What `inspect` shows, without empty values. */
  config?: Record<string, unknown>;
  /** True: `files` and `removed` are the differences from the base image. */
  base?: boolean;
  files?: Tree;
  removed?: string[];
  /** Files whose content differs from build to build. */
  volatile?: string[];
}

export interface CorpusCase {
  name: string;
  origin: string;
  dockerfile: string;
  buildArgs: Record<string, string>;
  context: SourceEntry[];
  /** What the reference's builders made; the classic one's is there where it is something else. One of them is to be met. */
  expected: Partial<Record<'buildkit' | 'classic', Expectation>>;
}

const lines = <T>(file: string): T[] =>
  readFileSync(join(import.meta.dirname, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

export const corpusCases = (): CorpusCase[] => lines('cases.jsonl');

async function archive(entries: readonly SourceEntry[]): Promise<Buffer> {
  const items = entries.map((entry) => ({
    header: {
      name: Buffer.from(entry.path).toString('latin1'),
      type: entry.link !== undefined ? 'symlink' : entry.path.endsWith('/') ? 'dir' : 'file',
      mode: entry.mode === undefined ? 0o777 : Number.parseInt(entry.mode, 8),
      mtime: { seconds: 1_485_449_953, nanoseconds: 0 },
      ...(entry.link === undefined ? {} : { linkName: Buffer.from(entry.link).toString('latin1') }),
    } as const,
    body:
      entry.link !== undefined || entry.path.endsWith('/')
        ? undefined
        : entry.host !== undefined
          ? readFileSync(entry.host)
          : Buffer.from(entry.text ?? entry.base64 ?? '', entry.base64 === undefined ? 'utf8' : 'base64'),
  }));
  const chunks: Buffer[] = [];
  for await (const chunk of writeTar(items)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The base image's files, for an import. */
export const baseArchive = (): Promise<Buffer> => archive(lines('base.jsonl'));

/** A case's context, owned by root as every client sends it. */
export const contextArchive = (one: CorpusCase): Promise<Buffer> => archive(one.context);
