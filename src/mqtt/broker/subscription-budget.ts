import { ByteBudget } from './byte-budget.js';

/** Bytes of subscriptions: each costs its filter and so much more. */
const EACH = 256 * 1024;
const ALL = 4 * 1024 * 1024;
const COST = 384;
/** Subscriptions of a client that may be refused before it has to go. */
const MAX_REFUSED = 64;

/** What clients have subscribed to, bounded in bytes. */
export class SubscriptionBudget<Owner extends object> {
  readonly #bytes = new ByteBudget<Owner>(EACH, ALL);
  readonly #filters = new Map<Owner, Set<string>>();
  readonly #refused = new Map<Owner, number>();

  /** Whether a client may have this one too; one that it has already costs nothing more. */
  take(owner: Owner, filter: string): boolean {
    const held = this.#filters.get(owner) ?? new Set();
    if (held.has(filter)) return true;
    if (!this.#bytes.take(owner, costOf(filter))) {
      this.#refused.set(owner, (this.#refused.get(owner) ?? 0) + 1);
      return false;
    }
    this.#filters.set(owner, held.add(filter));
    return true;
  }

  /** Gives back one that it has. */
  give(owner: Owner, filter: string): void {
    if (this.#filters.get(owner)?.delete(filter)) this.#bytes.give(owner, costOf(filter));
  }

  /** Whether it has been refused so many that it does not stop by itself. */
  isFlood(owner: Owner): boolean {
    return (this.#refused.get(owner) ?? 0) > MAX_REFUSED;
  }

  /** The client is gone. */
  forget(owner: Owner): void {
    this.#bytes.forget(owner);
    this.#filters.delete(owner);
    this.#refused.delete(owner);
  }
}

function costOf(filter: string): number {
  return Buffer.byteLength(filter) + COST;
}
