import { stat, writeFile } from 'node:fs/promises';
import type { Logger } from '../../common/index.ts';
import type { ContainerBook } from '../containers/book.ts';
import { rotationOf } from './drivers.ts';
import { shiftRotated } from './service.ts';

/** How often sizes are looked at. A log can exceed its limit by what is written in this time. */
const INTERVAL_MS = 250;

/** Rotates logs that have grown past their `max-size`: the file is renamed, then the monitor is told to open a new one, so that nothing is lost. */
export function startRotation(parts: {
  book: ContainerBook;
  logPath: (id: string) => string;
  controlPath: (id: string) => string;
  log: Logger;
}): { close(): void } {
  let busy = false;
  const pass = async () => {
    for (const { record, running, id } of parts.book.all()) {
      const { maxBytes, maxFiles } = rotationOf(record.host.LogConfig);
      if (!running || maxBytes === undefined || record.host.LogConfig?.Type === 'none') continue;
      const path = parts.logPath(id);
      const size = await stat(path).then(
        (info) => info.size,
        () => 0,
      );
      if (size < maxBytes) continue;
      await shiftRotated(path, maxFiles);
      // conmon's control channel: message type 2 reopens the log (conmon ctrl.c).
      if (maxFiles > 1) await writeFile(parts.controlPath(id), '2 0 0\n', { flag: 'r+' });
    }
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    pass()
      .catch((error: unknown) => parts.log.warn('log rotation', { error }))
      .finally(() => {
        busy = false;
      });
  }, INTERVAL_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
