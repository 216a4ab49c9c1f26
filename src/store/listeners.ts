/** Functions that want to hear of something. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  /** Returns how to end it. */
  add(listener: (value: T) => void): () => void {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  tell(what: T): void {
    for (const listener of this.#all) listener(what);
  }
}
