import { humanSize } from '../../common/index.ts';
import type { ProgressMessage } from '../../wire/index.ts';
import type { Cli } from '../session.ts';
import { ExitError } from '../spec.ts';

export interface ProgressOptions {
  stream: NodeJS.WriteStream;
  /** Reads to the end and shows nothing; errors are still errors. */
  quiet?: boolean;
  /** Receives `aux` values. */
  aux?: (value: unknown) => void;
}

/** A message whose error the daemon sent along with its stream. */
export class ProgressError extends Error {
  override name = 'ProgressError';
  readonly code: number;
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/**
 * Shows a progress stream as docker/pkg/jsonmessage does: on a terminal one line per id, redrawn in place; otherwise a line per
 * message, bars left out. Throws ProgressError when the stream says that the work failed.
 */
export async function showProgress(
  _cli: Cli,
  messages: AsyncIterable<ProgressMessage>,
  options: ProgressOptions,
): Promise<void> {
  const { stream } = options;
  const tty = Boolean(stream.isTTY) && !options.quiet;
  const show = (text: string): void => {
    if (!options.quiet) stream.write(text);
  };
  let lines = new Map<string, number>();
  for await (const message of messages) {
    if (message.errorDetail || message.error) {
      const text = message.errorDetail?.message ?? message.error ?? '';
      throw new ProgressError(text, message.errorDetail?.code ?? 0);
    }
    if (message.aux !== undefined) {
      options.aux?.(message.aux);
      continue;
    }
    const detail = message.progressDetail;
    const hasBar =
      detail !== undefined &&
      (detail.current !== undefined || detail.total !== undefined || detail.units !== undefined);
    let up = 0;
    if (message.id !== undefined && message.id !== '' && (detail !== undefined || message.progress)) {
      let line = lines.get(message.id);
      if (line === undefined) {
        line = lines.size;
        lines.set(message.id, line);
        if (tty) show('\n');
      }
      up = lines.size - line;
      if (tty && up > 0) show(`\x1b[${up}A`);
    } else lines = new Map();
    show(messageText(message, tty, hasBar, stream.columns || 200));
    if (tty && up > 0) show(`\x1b[${up}B`);
  }
}

function messageText(message: ProgressMessage, tty: boolean, hasBar: boolean, columns: number): string {
  const bar = hasBar ? progressBar(message.progressDetail!, columns) : '';
  const inPlace = tty && message.stream === undefined && message.progressDetail !== undefined;
  if (!inPlace && bar !== '') return '';
  const id = message.id === undefined || message.id === '' ? '' : `${message.id}: `;
  if (inPlace) return `${fit(`\x1b[2K\r${id}${message.status ?? ''} ${bar}`, columns)}\r`;
  if (message.progress) return `${id}${message.status ?? ''} ${message.progress}`;
  if (message.stream !== undefined) return `${id}${message.stream}`;
  return `${id}${message.status ?? ''}\n`;
}

/** A line in place must not wrap, or the next redraw would miss it. */
const fit = (text: string, columns: number): string => {
  const lead = '\x1b[2K\r'.length;
  return text.length - lead <= columns ? text : text.slice(0, lead + Math.max(1, columns - 1));
};

/** `[====>    ]  1.2MB/3.4MB`; the bar only where there is room (docker/pkg/jsonmessage JSONProgress.String). */
export function progressBar(detail: NonNullable<ProgressMessage['progressDetail']>, columns: number): string {
  const { current = 0, total = 0, units = '' } = detail;
  if (current <= 0 && total <= 0) return '';
  const amount = (value: number) => (units === '' ? humanSize(value) : `${value} ${units}`);
  if (total <= 0) return units === '' ? amount(current).padStart(8) : amount(current);
  const done = Math.min(50, Math.trunc(Math.trunc((current / total) * 100) / 2));
  const bar = columns > 110 ? `[${'='.repeat(done)}>${' '.repeat(50 - done)}] ` : '';
  if (detail.hidecounts) return bar;
  if (units !== '') return `${bar}${current > total ? amount(current) : `${current}/${total} ${units}`}`;
  return `${bar}${amount(current).padStart(8)}${current > total ? '' : `/${amount(total)}`}`;
}

/** Ends the command with the daemon's words for a failed stream. */
export const asExit = (error: unknown): never => {
  if (error instanceof ProgressError) throw new ExitError(1, error.message);
  throw error;
};
