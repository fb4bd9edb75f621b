import { Transform } from 'node:stream';
import { humanSize } from '../../common/index.ts';
import type { Cli } from '../session.ts';
import { onInterrupt } from './on-interrupt.ts';

/** Redraws no more often than this. */
const INTERVAL_MS = 100;
const CLEAR = '\r\x1b[2K';

/** Passes bytes on and, on a terminal's stderr, shows how many went by; the line is gone at the end, whatever end it was. `total`: of bytes. */
export function byteProgress(
  cli: Cli,
  label: string,
  options: { quiet?: boolean } = {},
): Transform & { total(): number } {
  const show = Boolean(cli.stderr.isTTY) && !options.quiet;
  let total = 0;
  let shown = 0;
  let over: (() => void) | undefined;
  const clear = (): void => {
    if (over === undefined) return;
    over();
    over = undefined;
    cli.warn(CLEAR);
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (show && Date.now() - shown >= INTERVAL_MS) {
        shown = Date.now();
        over ??= onInterrupt(clear);
        cli.warn(`${CLEAR}${`${label} ${humanSize(total)}`.slice(0, Math.max(1, cli.columns - 1))}`);
      }
      done(null, chunk);
    },
    flush(done) {
      clear();
      done();
    },
    destroy(error, done) {
      clear();
      done(error);
    },
  });
  return Object.assign(stream, { total: () => total });
}
