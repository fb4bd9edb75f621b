import { isKind } from '../common/index.ts';

/** Lets so many at a time through. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Work under way, by key: who asks for the same waits for it. Also locks by name. */
export class Flights {
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #locks = new Map<string, Promise<void>>();

  /** Runs `work`, or waits for the run of another with this key. One that was cancelled there is done here again. */
  async share<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const running = this.#running.get(key) as Promise<T> | undefined;
      if (running === undefined) break;
      try {
        return await running;
      } catch (error) {
        if (!isKind(error, 'cancelled')) throw error;
      }
    }
    const own = work();
    this.#running.set(key, own);
    try {
      return await own;
    } finally {
      this.#running.delete(key);
    }
  }

  async lock(name: string, signal: AbortSignal): Promise<() => void> {
    for (let held = this.#locks.get(name); held !== undefined; held = this.#locks.get(name)) await held;
    signal.throwIfAborted();
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = () => {
        if (this.#locks.get(name) === held) this.#locks.delete(name);
        done();
      };
    });
    this.#locks.set(name, held);
    return release;
  }
}
