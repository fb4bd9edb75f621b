import { z } from 'zod';
import { invalid, parseBytes, parseDurationNs } from '../common/index.ts';

/** When images that nobody uses are removed by themselves. All limits are optional; without any nothing is. */
export interface GcPolicy {
  /** Layers and blobs may take so many bytes. */
  maxUsedBytes?: number;
  /** So much of the file system is to stay free: bytes, or a share of it (0–1). */
  minFreeBytes?: number;
  minFreeShare?: number;
  /** An image that nobody used for so long goes. */
  maxAgeMs?: number;
  /** An image with one of these labels (`key` or `key=value`) stays. */
  keepLabels: string[];
  intervalMs: number;
}

const DEFAULT_INTERVAL_MS = 10 * 60 * 1000;
const LEAST_INTERVAL_MS = 1000;

const Size = z.union([z.number().int().nonnegative(), z.string()]);
const Given = z.strictObject({
  maxUsed: Size.optional(),
  minFree: Size.optional(),
  maxAge: z.string().optional(),
  keepLabel: z.union([z.string(), z.array(z.string())]).optional(),
  interval: z.string().optional(),
});

/**
 * `gc` of daemon.json: `{"maxUsed": "20GB", "minFree": "10%" | "5GB", "maxAge": "720h", "keepLabel": ["keep"], "interval": "10m"}`. Throws
 * invalid for anything else; undefined when no limit is set.
 */
export function parseGcPolicy(value: unknown): GcPolicy | undefined {
  if (value === undefined || value === null) return undefined;
  const parsed = Given.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(
      `invalid gc${issue === undefined || issue.path.length === 0 ? '' : `.${issue.path.join('.')}`}: ${issue?.message}`,
    );
  }
  const { maxUsed, minFree, maxAge, keepLabel = [], interval } = parsed.data;
  if (maxUsed === undefined && minFree === undefined && maxAge === undefined) return undefined;
  return {
    ...(maxUsed === undefined ? {} : { maxUsedBytes: bytesOf(maxUsed) }),
    ...(minFree === undefined ? {} : freeOf(minFree)),
    ...(maxAge === undefined ? {} : { maxAgeMs: durationOf('maxAge', maxAge) }),
    keepLabels: typeof keepLabel === 'string' ? [keepLabel] : keepLabel,
    intervalMs:
      interval === undefined ? DEFAULT_INTERVAL_MS : Math.max(LEAST_INTERVAL_MS, durationOf('interval', interval)),
  };
}

const bytesOf = (value: number | string): number => (typeof value === 'number' ? value : parseBytes(value));

function freeOf(value: number | string): Pick<GcPolicy, 'minFreeBytes' | 'minFreeShare'> {
  const percent = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*%$/.exec(value)?.[1] : undefined;
  if (percent === undefined) return { minFreeBytes: bytesOf(value) };
  if (Number(percent) > 100) throw invalid(`invalid gc.minFree: ${value} is more than there is`);
  return { minFreeShare: Number(percent) / 100 };
}

function durationOf(key: string, text: string): number {
  const ms = parseDurationNs(text) / 1e6;
  if (ms <= 0) throw invalid(`invalid gc.${key}: ${text} is not positive`);
  return ms;
}
