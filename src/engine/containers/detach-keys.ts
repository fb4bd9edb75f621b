import { invalid } from '../../common/index.ts';

const DEFAULT = 'ctrl-p,ctrl-q';

/** `ctrl-p,ctrl-q`, `a,b`, `ctrl-@`… to the bytes to look for (moby/term ToBytes). An exec's are called escape keys where they are wrong. */
export function parseDetachKeys(text: string, kind: 'detach' | 'escape' = 'detach'): Buffer {
  return Buffer.from(
    text.split(',').map((key) => {
      if (key.length === 1) return key.charCodeAt(0);
      const match = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key);
      if (match === null) throw invalid(`Invalid ${kind} keys (${text}) provided`);
      return match[1]!.toUpperCase().charCodeAt(0) - 64;
    }),
  );
}

/**
 * Watches a terminal's input for the key sequence. What turns out not to be the sequence is passed on, also when it began in an earlier
 * chunk.
 */
export function detachFilter(keys: string | undefined): (chunk: Buffer) => { data: Buffer; detached: boolean } {
  const sequence = parseDetachKeys(keys === undefined || keys === '' ? DEFAULT : keys);
  let matched = 0;
  return (chunk) => {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === sequence[matched]) {
        matched++;
        if (matched === sequence.length) return { data: Buffer.from(out), detached: true };
        continue;
      }
      for (let i = 0; i < matched; i++) out.push(sequence[i]!);
      matched = 0;
      if (byte === sequence[0]) matched = 1;
      else out.push(byte);
    }
    return { data: Buffer.from(out), detached: false };
  };
}
