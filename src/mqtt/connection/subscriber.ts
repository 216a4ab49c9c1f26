import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import type { IncomingMessage } from '../message.js';
import type { Subscription } from './contract.js';
import type { Link } from './link.js';
import { isRefusal, type Sender, subscriptionOf } from './sender.js';
import { deliver, type Registration } from './subscriptions.js';

type Wanted = Omit<Registration, 'id' | 'lasting'>;

/** Who wants to hear what, over all connections. */
export class Subscriber {
  readonly #sender: Sender;
  readonly #log: Log;
  readonly #registrations = new Set<Registration>();
  #link: Link | null = null;
  #nextId = 1;

  constructor(sender: Sender, log: Log) {
    this.#sender = sender;
    this.#log = log;
  }

  /** There is a connection: asks for everything. */
  open(link: Link): void {
    this.#link = link;
    for (const registration of this.#registrations) void this.#askAgain(registration);
  }

  /** There is none any more. */
  close(): void {
    this.#link = null;
  }

  /** As `Connection.listen`. */
  listen(wanted: Wanted): Subscription {
    const { registration, subscription } = this.#add({ ...wanted, lasting: true });
    if (this.#link !== null) void this.#askAgain(registration);
    return subscription;
  }

  /** As `Connection.subscribe`. */
  async look(wanted: Wanted): Promise<Subscription> {
    const { registration, subscription } = this.#add({ ...wanted, lasting: false });
    if (this.#link === null) return subscription;
    try {
      await this.#sender.subscribe(registration);
    } catch (error) {
      // One that was only cut off is asked for again with the next connection.
      if (!isRefusal(error)) return subscription;
      this.#registrations.delete(registration);
      throw error;
    }
    return subscription;
  }

  /** Hands on what has arrived; `ids` as in {@link deliver}. */
  deliver(message: IncomingMessage, ids: readonly number[]): void {
    deliver(this.#registrations, message, ids, this.#log);
  }

  /** A subscription that was held back may be tried again; a new connection asks for everything. */
  released(subject: string | null): void {
    if (this.#link === null) return;
    for (const registration of this.#registrations) {
      if (subscriptionOf(registration) === subject) void this.#askAgain(registration);
    }
  }

  #add(wanted: Omit<Registration, 'id'>): {
    readonly registration: Registration;
    readonly subscription: Subscription;
  } {
    const registration = { ...wanted, id: this.#nextId++ };
    this.#registrations.add(registration);
    const close = async () => {
      this.#registrations.delete(registration);
      this.#sender.forget(registration);
      await this.#link?.unsubscribe(this.#sender.filtersOf(registration));
    };
    return { registration, subscription: { close } };
  }

  async #askAgain(registration: Registration): Promise<void> {
    try {
      await this.#sender.subscribe(registration);
    } catch (error) {
      // What lasts is held back, which is said there.
      if (!isRefusal(error) || registration.lasting) return;
      this.#log.warn({ filters: registration.filters }, messageOf(error));
    }
  }
}
