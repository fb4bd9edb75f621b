import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import { closeFd, O, openAt, openAt2, RESOLVE } from '../sys/index.ts';
import { overlayChanges } from './changes.ts';
import { decompress } from './compression.ts';
import { Copier } from './copier.ts';
import { Extractor } from './extractor.ts';
import type { Job, JobResults } from './jobs.ts';
import { byteName } from './names.ts';
import { OutputBuffer } from './output-buffer.ts';
import { Packer } from './packer.ts';
import { TarParser } from './parser.ts';
import { settle } from './settle.ts';
import { type Breath, openDirectory, removeAt, treeBytes } from './tree.ts';
import type { ExtractResult } from './types.ts';

export interface JobChannels {
  /** The archive to extract. */
  input: AsyncIterable<Buffer>;
  /** Takes a piece of the archive being packed. */
  output: (chunk: Buffer) => Promise<void>;
  signal: AbortSignal;
  breathe: Breath;
}

/** Does one job on the calling thread. */
export async function runJob(job: Job, channels: JobChannels): Promise<JobResults[Job['kind']]> {
  const { breathe } = channels;
  switch (job.kind) {
    case 'extract':
      return await extract(job, channels);
    case 'settle':
      await settle(job.root, job.lower, job.unsettled, breathe);
      return undefined;
    case 'pack':
      await new Packer(new OutputBuffer(channels.output), breathe, job.options).pack(job.root, job.path);
      return undefined;
    case 'copy': {
      const copier = new Copier(breathe, job.options);
      await copier.copy(job.source, job.destination);
      return copier.result;
    }
    case 'size':
      return await withDirectory(job.dir, (fd) => treeBytes(fd, breathe));
    case 'remove':
      await withDirectory(dirname(job.path), (fd) => removeAt(fd, byteName(basename(job.path)), breathe));
      return undefined;
    case 'changes':
      return await overlayChanges(job.upper, job.lower, breathe);
  }
}

async function withDirectory<T>(path: string, body: (fd: number) => Promise<T>): Promise<T> {
  const fd = openDirectory(-100, byteName(path));
  try {
    return await body(fd);
  } finally {
    closeFd(fd);
  }
}

async function extract(
  job: Job & { kind: 'extract' },
  { input, signal, breathe }: JobChannels,
): Promise<ExtractResult> {
  const root = openAt(-100, job.root, O.PATH | O.DIRECTORY);
  try {
    const where = openAt2(root, job.path === '' ? '.' : job.path, O.PATH | O.DIRECTORY, RESOLVE.IN_ROOT);
    try {
      return await extractAt(`/proc/self/fd/${where}`, job, { input, signal, breathe });
    } finally {
      closeFd(where);
    }
  } finally {
    closeFd(root);
  }
}

async function extractAt(
  directory: string,
  job: Job & { kind: 'extract' },
  { input, signal, breathe }: Pick<JobChannels, 'input' | 'signal' | 'breathe'>,
): Promise<ExtractResult> {
  const hash = createHash('sha256');
  const extractor = new Extractor(directory, job.options);
  try {
    const parser = new TarParser(extractor);
    const { compression, stream } = await decompress(input, { ...job.limits, signal });
    for await (const chunk of stream) {
      hash.update(chunk);
      parser.push(chunk);
      await breathe();
    }
    parser.finish();
    extractor.finish();
    return {
      diffId: `sha256:${hash.digest('hex')}`,
      sizeBytes: extractor.sizeBytes,
      entries: extractor.entries,
      compression,
      unsettled: extractor.unsettled,
    };
  } finally {
    extractor.close();
  }
}
