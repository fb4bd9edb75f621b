import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a kernel setting of the network namespace that the thread is in; `key` uses slashes (`net/ipv4/ip_forward`). */
export function writeSysctl(key: string, value: string): void {
  writeFileSync(`/proc/sys/${key}`, value);
}

export function readSysctl(key: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${key}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Writes where the kernel has the setting (one built without IPv6 has none of its) and the value differs. */
export function ensureSysctl(key: string, value: string): void {
  const now = readSysctl(key);
  if (now !== undefined && now !== value) writeSysctl(key, value);
}

/** `net.ipv4.conf.eth0.forwarding` as a path; slashes may stand for dots, as sysctl(8) has it. */
export const sysctlPath = (name: string): string =>
  name.indexOf('/') >= 0 && name.indexOf('/') < (name.indexOf('.') + 1 || Number.POSITIVE_INFINITY)
    ? name
    : name.replaceAll('.', '/');
