/** Docker's default: ctrl-p ctrl-q. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

const CONTROL: Record<string, number> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/** The bytes of a key sequence: `ctrl-a,x` (moby/term ToBytes). Throws Error for an unknown key. */
export function parseDetachKeys(text: string): Buffer {
  const bytes = text.split(',').map((key) => {
    if ([...key].length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
    const control = /^ctrl-(.)$/.exec(key)?.[1];
    if (control !== undefined && /[a-z]/.test(control)) return control.charCodeAt(0) - 96;
    const special = control === undefined ? undefined : CONTROL[control];
    if (special === undefined) throw new Error(`invalid detach keys (${text}): Unknown character: '${key}'`);
    return special;
  });
  return Buffer.from(bytes);
}

/** Watches typed bytes for a sequence; holds back what may be its beginning. */
export class DetachFilter {
  private readonly keys: Buffer;
  private matched = 0;
  constructor(keys: Buffer) {
    this.keys = keys;
  }
  /** What may be sent on, and whether the sequence was completed (what follows it is dropped). */
  feed(chunk: Buffer): { pass: Buffer; detached: boolean } {
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === this.keys[this.matched]) {
        this.matched++;
        if (this.matched === this.keys.length) return { pass: Buffer.from(pass), detached: true };
        continue;
      }
      if (this.matched > 0) pass.push(...this.keys.subarray(0, this.matched));
      this.matched = byte === this.keys[0] ? 1 : 0;
      if (this.matched === 0) pass.push(byte);
      else if (this.keys.length === 1) return { pass: Buffer.from(pass), detached: true };
    }
    return { pass: Buffer.from(pass), detached: false };
  }
}
