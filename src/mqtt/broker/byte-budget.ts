/** Bytes that clients make the broker keep: bounded for each of them, and for all together. */
export class ByteBudget<Owner extends object> {
  readonly #each: number;
  readonly #all: number;
  readonly #held = new Map<Owner, number>();
  #total = 0;

  /** @param each bytes of one client; @param all bytes of all together */
  constructor(each: number, all: number) {
    this.#each = each;
    this.#all = all;
  }

  /** Notes bytes of a client; false, and nothing is noted, when there is no room for them. */
  take(owner: Owner, bytes: number): boolean {
    const held = (this.#held.get(owner) ?? 0) + bytes;
    if (held > this.#each || this.#total + bytes > this.#all) return false;
    this.#held.set(owner, held);
    this.#total += bytes;
    return true;
  }

  give(owner: Owner, bytes: number): void {
    const held = this.#held.get(owner) ?? 0;
    const given = Math.min(held, bytes);
    this.#total -= given;
    if (held === given) this.#held.delete(owner);
    else this.#held.set(owner, held - given);
  }

  /** The client is gone. */
  forget(owner: Owner): void {
    this.give(owner, this.#held.get(owner) ?? 0);
  }
}
