import { invalid } from '../../common/index.ts';
import type { BuildFilesHead, ListedFile, SentFile } from '../../wire/index.ts';

/** A list's bytes; a context of a million files has half of it. */
export const MAX_LIST_BYTES = 256 * 2 ** 20;
const MAX_DOCKERFILE_BYTES = 16 * 2 ** 20;
/** A head holds the Dockerfile, each byte of which JSON may write as six. */
export const MAX_HEAD_BYTES = 6 * MAX_DOCKERFILE_BYTES;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`${what} is not JSON`, error);
  }
}

export function readHead(line: string): BuildFilesHead {
  const head = json(line, 'the head of the build');
  if (!isRecord(head) || typeof head.context !== 'string' || head.context === '' || !isCount(head.listBytes))
    throw invalid('the head of the build needs context and listBytes');
  const { dockerfile } = head;
  if (!isRecord(dockerfile) || typeof dockerfile.name !== 'string' || typeof dockerfile.text !== 'string')
    throw invalid('the head of the build needs a dockerfile');
  if (head.listBytes > MAX_LIST_BYTES) throw invalid('the list of files is too long');
  return {
    context: head.context,
    dockerfile: { name: dockerfile.name, text: dockerfile.text },
    listBytes: head.listBytes,
  };
}

export function readSent(line: string): SentFile {
  const sent = json(line, 'a file’s head');
  if (isRecord(sent) && isCount(sent.file)) {
    if (isCount(sent.size)) return { file: sent.file, size: sent.size };
    if (typeof sent.digest === 'string' && /^[0-9a-f]{64}$/.test(sent.digest))
      return { file: sent.file, digest: sent.digest };
  }
  throw invalid('a file’s head needs file, and size or digest');
}

/**
 * Reads a list and checks all that makes it safe to write it to disk: no name leads out, and what a file or link is in stands in the
 * list as a directory, before it.
 */
export function readList(bytes: Buffer): ListedFile[] {
  const list = json(bytes.toString(), 'the list of files');
  if (!Array.isArray(list)) throw invalid('the list of files is no array');
  const kinds = new Map<string, string>([['', 'd']]);
  for (const entry of list as unknown[]) {
    if (!isListed(entry)) throw invalid(`not an entry of a list of files: ${JSON.stringify(entry).slice(0, 200)}`);
    const [kind, path] = entry;
    const cut = path.lastIndexOf('/');
    const name = path.slice(cut + 1);
    if (cut === 0 || name === '' || name === '.' || name === '..' || /[\0\u0100-\uffff]/.test(path))
      throw invalid(`not a name in a context: ${JSON.stringify(path)}`);
    if (kinds.get(cut < 0 ? '' : path.slice(0, cut)) !== 'd')
      throw invalid(`not in a directory of the list: ${JSON.stringify(path)}`);
    if (kinds.has(path)) throw invalid(`twice in the list: ${JSON.stringify(path)}`);
    kinds.set(path, kind);
  }
  return list as ListedFile[];
}

const isMode = (value: unknown): boolean => isCount(value) && value <= 0o7777;

function isListed(entry: unknown): entry is ListedFile {
  if (!Array.isArray(entry)) return false;
  const [kind, path, third, fourth, fifth, sixth] = entry as unknown[];
  if (typeof path !== 'string') return false;
  if (kind === 'd') return isMode(third) && Number.isSafeInteger(fourth);
  if (kind === 'l')
    return Number.isSafeInteger(third) && typeof fourth === 'string' && !/[\0\u0100-\uffff]/.test(fourth);
  return kind === 'f' && isMode(third) && Number.isSafeInteger(fourth) && isCount(fifth) && typeof sixth === 'string';
}
