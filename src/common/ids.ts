import { randomBytes } from 'node:crypto';

/** A fresh id of 64 lower-case hex digits, as Docker's containers, networks and execs have. */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    // An id whose short form is all digits could be taken for a number (a host name, a pid): moby skips those too.
    if (!/^\d{12}/.test(id)) return id;
  }
}

/** The twelve digits that people see; an algorithm prefix (`sha256:`) is dropped. */
export const shortId = (id: string): string => id.slice(id.indexOf(':') + 1).slice(0, 12);

export const isFullId = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
