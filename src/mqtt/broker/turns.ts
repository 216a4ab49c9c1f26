/** How long one round of the event loop may be busy with what clients ask for, ms. */
const ROUND_MS = 5;

/**
 * Shares the event loop between clients. Each has its turn, for a small piece of work; after some
 * milliseconds of such work everything else in this process has its turn. However much one client asks
 * for, another one waits for as many pieces as there are clients.
 */
export class Turns {
  readonly #now: () => number;
  /** What each owner wants done, in order; the owner whose turn is next comes first. */
  readonly #waiting = new Map<object, (() => void)[]>();
  #running = false;

  /** @param now monotonic, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Resolves when it is the owner's turn, for one small piece of work. */
  next(owner: object): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#waiting.get(owner);
      if (before === undefined) this.#waiting.set(owner, [resolve]);
      else before.push(resolve);
      if (!this.#running) void this.#run();
    });
  }

  /** The owner is gone: nothing more of it is done. */
  forget(owner: object): void {
    this.#waiting.delete(owner);
  }

  async #run(): Promise<void> {
    this.#running = true;
    let began = this.#now();
    for (let begin = this.#shift(); begin !== undefined; begin = this.#shift()) {
      begin();
      // What it sets off is part of it.
      await new Promise<void>((resolve) => void process.nextTick(resolve));
      if (this.#now() - began < ROUND_MS) continue;
      await new Promise<void>((resolve) => void setImmediate(resolve));
      began = this.#now();
    }
    this.#running = false;
  }

  #shift(): (() => void) | undefined {
    for (const [owner, wanted] of this.#waiting) {
      const begin = wanted.shift();
      this.#waiting.delete(owner);
      if (wanted.length > 0) this.#waiting.set(owner, wanted);
      if (begin !== undefined) return begin;
    }
    return undefined;
  }
}
