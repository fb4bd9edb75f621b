import { humanSize } from '../common/index.ts';
import type { Progress, ProgressMessage } from '../wire/index.ts';

const BAR = 50;
/** Bars move so often. */
const INTERVAL_MS = 100;

/** The bar as text, 200 columns wide (moby pkg/jsonmessage JSONProgress.String). */
export function barText(current: number, total: number): string {
  if (current <= 0 && total <= 0) return '';
  const size = humanSize(current);
  if (total <= 0) return size.padStart(8);
  const filled = Math.min(BAR, Math.floor(((current / total) * 100) / 2));
  const spaces = ' '.repeat(BAR - filled);
  const bar = `[${'='.repeat(filled)}>${spaces}] `;
  return `${bar}${size.padStart(8)}${current > total ? '' : `/${humanSize(total)}`}`;
}

/** A line of one layer: `Pull complete`, `Pushed`. */
export const layerLine = (id: string, status: string): ProgressMessage => ({ status, progressDetail: {}, id });

export const barLine = (id: string, status: string, current: number, total: number): ProgressMessage => ({
  status,
  progressDetail: { current, total },
  progress: barText(current, total),
  id,
});

/** Reports a bar now and then, and its end always. */
export function bar(progress: Progress, id: string, status: string, total: number): (current: number) => void {
  let last = 0;
  return (current) => {
    const now = Date.now();
    if (now - last < INTERVAL_MS && current < total) return;
    last = now;
    progress(barLine(id, status, current, total));
  };
}
