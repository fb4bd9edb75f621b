import type { ProgressMessage } from '../../wire/index.ts';
import { ProgressError } from '../terminal/progress.ts';
import { type BoardSize, BuildBoard } from './board.ts';
import { plainLine } from './line-text.ts';

const REDRAW_MS = 100;

export interface LiveOptions {
  stream: NodeJS.WriteStream;
  colours: boolean;
  /** Receives `aux` values. */
  aux: (value: unknown) => void;
}

/** Shows a build asked for with `progress=steps` in a terminal, in place; what failed is shown with its output. Throws ProgressError. */
export async function showLive(messages: AsyncIterable<ProgressMessage>, options: LiveOptions): Promise<void> {
  const { stream, colours } = options;
  const board = new BuildBoard(Date.now());
  let drawn = 0;
  const draw = (outcome?: 'finished' | 'failed') => {
    // A terminal that does not know its size says 0.
    const columns = stream.columns || 80;
    const rows = stream.rows || 24;
    // A window that became smaller has less to go up to.
    const up = Math.min(drawn, Math.max(0, rows - 1));
    const size: BoardSize = { columns, rows: outcome === undefined ? Math.max(2, rows - 1) : undefined, colours };
    const lines = board.lines(Date.now(), size, outcome);
    stream.write(`${up > 0 ? `\u001b[${up}A` : ''}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, REDRAW_MS);
  try {
    for await (const message of messages) {
      if (message.errorDetail !== undefined || message.error !== undefined) {
        const text = message.errorDetail?.message ?? message.error ?? '';
        throw new ProgressError(text, message.errorDetail?.code ?? 0);
      }
      if (message.aux !== undefined) options.aux(message.aux);
      board.apply(message, Date.now());
    }
    clearInterval(timer);
    draw('finished');
  } catch (error) {
    clearInterval(timer);
    draw('failed');
    for (const { name, lines } of board.unfinished())
      stream.write(`------\n > ${plainLine(name)}:\n${lines.map((line) => `${plainLine(line)}\n`).join('')}------\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
