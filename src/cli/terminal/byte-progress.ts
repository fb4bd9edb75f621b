import { Transform } from 'node:stream';
import { humanSize } from '../../common/index.ts';
import type { Cli } from '../session.ts';

/** Redraws no more often than this. */
const INTERVAL_MS = 100;

/** Passes bytes on and, on a terminal's stderr, shows how many went by; the line is gone at the end. */
export function byteProgress(cli: Cli, label: string, options: { quiet?: boolean } = {}): Transform {
  const show = Boolean(cli.stderr.isTTY) && !options.quiet;
  let total = 0;
  let shown = 0;
  let used = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (show && Date.now() - shown >= INTERVAL_MS) {
        shown = Date.now();
        used = true;
        cli.warn(`\r\x1b[2K${label} ${humanSize(total)}`);
      }
      done(null, chunk);
    },
    flush(done) {
      if (used) cli.warn('\r\x1b[2K');
      done();
    },
  });
}
