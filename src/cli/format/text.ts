/** Small forms of text that Docker's tables use (docker/go-units and docker/cli formatter). */

/** `3 hours`, `About a minute`, `2 weeks` (go-units HumanDuration). */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(ms / 60_000);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(ms / 3_600_000 / 24 / 365)} years`;
}

/** How long ago a time in seconds since the epoch was; nothing for Go's zero time. */
export const ago = (seconds: number, nowMs: number): string =>
  seconds <= 0 ? 'N/A' : `${humanDuration(nowMs - seconds * 1000)} ago`;

/** Cuts to `width` columns with an ellipsis (docker/cli formatter.Ellipsis). Wide characters count two. */
export function ellipsis(text: string, width: number): string {
  const chars = [...text];
  const total = chars.reduce((sum, char) => sum + charWidth(char), 0);
  if (total <= width) return text;
  if (width <= 0) return '';
  if (width === 1) return chars[0] !== undefined && charWidth(chars[0]) === 1 ? chars[0] : '';
  let out = '';
  let used = 0;
  for (const char of chars) {
    if (used + charWidth(char) > width - 1) break;
    out += char;
    used += charWidth(char);
  }
  return `${out}…`;
}
const charWidth = (char: string): number =>
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
    char,
  ) || /[\u{20000}-\u{3fffd}]/u.test(char)
    ? 2
    : 1;

/** Go's time.String of a local time: `2026-01-02 15:04:05 +0000 UTC`. */
export function goTime(seconds: number, fraction = ''): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const name =
    offset === 0 && (new Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC') === 'UTC' ? 'UTC' : zoneName(date);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${fraction} ${zone} ${name}`;
}
const zoneName = (date: Date): string =>
  new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
    .formatToParts(date)
    .find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';

/** RFC 3339 in the local zone with seconds, as Go's time.RFC3339. */
export function localRfc3339(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone =
    offset === 0
      ? 'Z'
      : `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${zone}`;
}

/** `k=v,k=v` in the keys' order. */
export const labelsText = (labels: Record<string, string> | null | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(',');

/** A single quoted Go string. */
export { quote } from '../../template/index.ts';
