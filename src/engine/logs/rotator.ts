import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import type { Logger } from '../../common/index.ts';
import type { ContainerBook } from '../containers/book.ts';
import { type Rotation, rotationOf } from './drivers.ts';
import { filesOf, type LogFiles } from './files.ts';

/** How often sizes are looked at. A log can exceed its limit by what is written in this time. */
const INTERVAL_MS = 250;
/** conmon answers to nothing: its new file is waited for, and asked for anew after this long without one. */
const REOPEN_MS = 2000;
const POLL_MS = 5;

export interface RotationParts {
  book: ContainerBook;
  files: LogFiles;
  logPath: (id: string) => string;
  /** conmon's control channel of a container. */
  controlPath: (id: string) => string;
  log: Logger;
}

/**
 * Rotates the logs of running containers that have grown past their `max-size`: the file is renamed, then the monitor is told to open a new
 * one, so that nothing is lost: until it does, it writes to the renamed one. A crash in between leaves a container without a `log`; it is told again.
 */
export function startRotation(parts: RotationParts): { close(): void } {
  const busy = new Set<string>();
  const missingSince = new Map<string, number>();

  const look = async (id: string, rotation: Rotation & { maxBytes: number }) => {
    const path = parts.logPath(id);
    const size = await sizeOf(path);
    if (size === undefined) {
      const since = missingSince.get(id) ?? Date.now();
      missingSince.set(id, since);
      if (Date.now() - since < REOPEN_MS) return;
      await reopen(id, path);
    } else if (size >= rotation.maxBytes) {
      await parts.files.shift(path, rotation.maxFiles - 1);
      await reopen(id, path);
    } else return;
    missingSince.delete(id);
    await parts.files.dropAbove(path, rotation.maxFiles - 1);
    if (rotation.compress) await compressAll(path, parts.files);
  };

  const reopen = async (id: string, path: string) => {
    // Message type 2 (conmon src/ctrl.c). Opened for both ways, so that a dead conmon cannot block it.
    await writeFile(parts.controlPath(id), '2 0 0\n', { flag: 'r+' });
    const giveUp = Date.now() + REOPEN_MS;
    while ((await sizeOf(path)) === undefined) {
      if (Date.now() > giveUp) throw new Error('the monitor opens no new log');
      await sleep(POLL_MS);
    }
  };

  const pass = () => {
    for (const { record, running, id } of parts.book.all()) {
      if (!running || busy.has(id) || record.host.LogConfig?.Type === 'none') continue;
      const rotation = rotationOf(record.host.LogConfig);
      const { maxBytes } = rotation;
      if (maxBytes === undefined) continue;
      busy.add(id);
      look(id, { ...rotation, maxBytes })
        .catch((error: unknown) => parts.log.warn('log rotation', { id, error }))
        .finally(() => busy.delete(id));
    }
    for (const id of missingSince.keys()) if (!parts.book.has(id)) missingSince.delete(id);
  };
  const timer = setInterval(pass, INTERVAL_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/** Compresses what is rotated and plain, also what a crash left so. The plain file goes when the other is whole. */
async function compressAll(path: string, files: LogFiles): Promise<void> {
  for (const { name, index, compressed } of await filesOf(path)) {
    if (index === 0 || compressed) continue;
    const plain = join(dirname(path), name);
    await pipeline(createReadStream(plain), createGzip(), createWriteStream(`${plain}.gz.tmp`, { mode: 0o640 }));
    await files.exclusive(path, async () => {
      await rename(`${plain}.gz.tmp`, `${plain}.gz`);
      await rm(plain);
    });
  }
}
