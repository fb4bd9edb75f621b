import { writeSync } from 'node:fs';
import { createLogger, isErrno, type Logger, type LogLevel, type LogSink } from '../common/index.ts';

/** Lines to standard error, at once: a daemon that dies has said all. The level can be changed while it runs. */
export function openLog(level: LogLevel, format: 'text' | 'json', descriptor = 2): { log: Logger; sink: LogSink } {
  const sink: LogSink = {
    level,
    format,
    write(line) {
      try {
        writeSync(descriptor, line);
      } catch (error) {
        // Nobody reads (EPIPE) or the pipe is full (EAGAIN): losing a line is better than stopping.
        if (!isErrno(error, 'EPIPE') && !isErrno(error, 'EAGAIN') && !isErrno(error, 'ENOSPC')) throw error;
      }
    },
  };
  return { log: createLogger(sink), sink };
}
