/** How much a prune of the build cache leaves; bytes. None given: nothing. */
export interface CacheLimits {
  /** So much may always stay. */
  reserved?: number;
  /** More than this never stays. */
  maxUsed?: number;
  /** So much of the disk is to be free afterwards. */
  minFree?: number;
}

/** As BuildKit reckons (cache/manager.go, calculateKeepBytes). `total`: what the cache has; `free`: what the disk has. */
export function bytesToKeep(
  { reserved = 0, maxUsed = 0, minFree = 0 }: CacheLimits,
  total: number,
  free: number,
): number {
  if (reserved === 0 && maxUsed === 0 && minFree === 0) return 0;
  let keep = maxUsed;
  const missing = minFree - free;
  if (missing > 0) keep = keep === 0 ? total - missing : Math.min(keep, total - missing);
  else if (keep === 0 && minFree > 0) keep = total;
  return Math.max(keep, reserved);
}
