import { NetworkError } from './failures.ts';
import type { Call, Reply, Transport } from './types.ts';

/** Answers that another try may turn out differently (RFC 9110 sections 15.5.9, 15.6; RFC 6585 section 4). */
const TEMPORARY = new Set([408, 429, 500, 502, 503, 504]);
const FIRST_MS = 250;
const MOST_MS = 10_000;
const MOST_ASKED_MS = 60_000;

export const isTemporary = (error: unknown): boolean => error instanceof NetworkError && error.temporary;
export const isTemporaryStatus = (status: number): boolean => TEMPORARY.has(status);

/** How long to wait after the nth failure (from 1): doubling, with chance, so that many clients do not come back together. */
export function backoffMs(failures: number, retryAfter?: string): number {
  const asked = retryAfterMs(retryAfter);
  if (asked !== undefined) return Math.min(asked, MOST_ASKED_MS);
  return Math.min(FIRST_MS * 2 ** (failures - 1), MOST_MS) * (0.5 + Math.random() / 2);
}

/** Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Waits; rejects as soon as the signal fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Sends again what failed for now, `attempts` times in all; the last outcome is what the caller gets. */
export function withRetry(transport: Transport, attempts: number): Transport {
  return async (call) => {
    for (let failures = 1; ; failures++) {
      const outcome = await once(transport, call);
      if (failures >= attempts || call.signal.aborted) return unwrap(outcome);
      if ('error' in outcome) {
        if (!isTemporary(outcome.error)) throw outcome.error;
        await pause(backoffMs(failures), call.signal);
      } else {
        if (!TEMPORARY.has(outcome.reply.status)) return outcome.reply;
        await outcome.reply.body.dump();
        await pause(backoffMs(failures, outcome.reply.header('retry-after')), call.signal);
      }
    }
  };
}

type Outcome = { reply: Reply } | { error: unknown };

async function once(transport: Transport, call: Call): Promise<Outcome> {
  try {
    return { reply: await transport(call) };
  } catch (error) {
    return { error };
  }
}

function unwrap(outcome: Outcome): Reply {
  if ('error' in outcome) throw outcome.error;
  return outcome.reply;
}
