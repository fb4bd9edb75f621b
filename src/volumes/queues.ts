/** Lets operations on the same name wait for one another. */
export class Queues {
  readonly #tails = new Map<string, Promise<void>>();

  run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const result = before.then(operation);
    const tail = result.then(
      () => {},
      () => {},
    );
    this.#tails.set(name, tail);
    void tail.then(() => {
      if (this.#tails.get(name) === tail) this.#tails.delete(name);
    });
    return result;
  }
}
