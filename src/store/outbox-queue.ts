import type { Outbox, PendingMessage } from '../mqtt/message.js';
import type { Clock } from '../time.js';
import { Listeners } from './listeners.js';
import type { Reopening } from './reopening.js';
import type { Session } from './session.js';
import type { WriteQueue } from './write-queue.js';

export interface OutboxQueueOptions {
  readonly clock: Pick<Clock, 'wall'>;
  /** Acknowledgements that are not yet in the database. */
  readonly waiting: WriteQueue;
  /** Seconds and rows that messages wait at most. */
  readonly limits: () => { readonly maxAge: number; readonly maxRows: number };
  readonly database: () => Reopening;
  /** Looks whether the wall clock was set. */
  readonly followClock: () => void;
  /** Called after each acknowledgement. */
  readonly onAcknowledged: () => void;
}

/** Messages of a database that may fail, less those that were acknowledged a moment ago. */
export class OutboxQueue implements Outbox {
  readonly #options: OutboxQueueOptions;
  readonly #added = new Listeners<undefined>();
  /** Messages in the database. */
  #stored = 0;
  #isClosed = false;

  constructor(options: OutboxQueueOptions) {
    this.#options = options;
  }

  next(limit: number, beyond = 0): PendingMessage[] {
    const { clock, waiting, limits, database, followClock } = this.#options;
    followClock();
    // Those acknowledged but not yet removed are passed over.
    const many = limit + waiting.acknowledged();
    const read = () => database().read((session) => session.outbox.next(many, beyond)) ?? [];
    let found = read();
    const oldest = clock.wall() - limits().maxAge * 1000;
    if (found.some((row) => row.created < oldest)) {
      database().write((session) => this.trim(session));
      found = read();
    }
    return found.filter((row) => !waiting.isAcknowledged(row.id)).slice(0, limit);
  }

  acknowledge(id: number): void {
    if (this.#isClosed) return;
    this.#options.waiting.acknowledge(id);
    this.#options.onAcknowledged();
  }

  depth(): number {
    return Math.max(0, this.#stored - this.#options.waiting.acknowledged());
  }

  dropped(): number {
    return this.#options.waiting.dropped().messages;
  }

  onAdded(listener: () => void): () => void {
    return this.#added.add(listener);
  }

  /** Messages were written, or wait for the disk no more. */
  tellAdded(): void {
    this.#added.tell(undefined);
  }

  /** Another database is open now. */
  adopt(session: Session): void {
    this.#stored = session.outbox.count();
    // A fresh database does not have the messages of the damaged one it replaces.
    if (this.#stored === 0) this.#options.waiting.forgetAcknowledged();
  }

  /** So many messages more are in the database. */
  grew(session: Session, by: number): void {
    this.#stored += by;
    if (this.#stored > this.#options.limits().maxRows) this.trim(session);
  }

  /** Gives up what is too old or too much; returns how many messages that were. */
  trim(session: Session): number {
    const { clock, waiting, limits } = this.#options;
    const { maxAge, maxRows } = limits();
    // What the broker has acknowledged was not given up.
    for (const id of waiting.work().acknowledged) session.outbox.remove(id);
    const removed = session.outbox.trim(maxRows, clock.wall() - maxAge * 1000);
    waiting.lostMessages(removed);
    this.#stored = session.outbox.count();
    return removed;
  }

  /** Nothing is acknowledged from now on. */
  close(): void {
    this.#isClosed = true;
  }
}
