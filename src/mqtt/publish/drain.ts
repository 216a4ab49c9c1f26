import { isCodedError, messageOf } from '../../errors.js';
import { createRepeatingLog, type Log, type RepeatingLog } from '../../log.js';
import type { Clock } from '../../time.js';
import type { Connection, MessageProperties } from '../connection/connection.js';
import type { Outbox, PendingMessage } from '../message.js';

/** Messages under way at a time. */
const WINDOW = 16;
/** Rows that are looked at in one go. */
const BATCH = 64;

export interface DrainOptions {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly propertiesOf: (message: PendingMessage) => MessageProperties | undefined;
  /** What a message has to wait for; null when it may go. Those behind it on its topic wait too. */
  readonly gateOf?: (message: PendingMessage) => Promise<void> | null;
  /** What goes out in the place of what was recorded; default: that itself. */
  readonly payloadOf?: (message: PendingMessage) => string | Uint8Array;
  /** A message has been acknowledged, or dropped for good. */
  readonly onSent?: (message: PendingMessage) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sends the outbox in order, a window at a time; a message leaves it when the broker has acknowledged
 * it. After a lost connection it begins again with the oldest that was not: at least once, in order.
 *
 * A topic that the broker does not take for now keeps its messages; those of other topics go on. What no
 * broker will ever take is dropped and counted.
 */
export class OutboxDrain {
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #propertiesOf: DrainOptions['propertiesOf'];
  readonly #gateOf: (message: PendingMessage) => Promise<void> | null;
  readonly #payloadOf: (message: PendingMessage) => string | Uint8Array;
  readonly #onSent: (message: PendingMessage) => void;
  readonly #log: RepeatingLog;
  /** Ids under way. */
  readonly #underway = new Set<number>();
  /** Ids that wait until their topic may be tried again, in order. */
  readonly #kept = new Map<string, Set<number>>();
  #cursor = 0;
  #round = 0;
  #refused = 0;

  constructor(options: DrainOptions) {
    this.#connection = options.connection;
    this.#outbox = options.outbox;
    this.#propertiesOf = options.propertiesOf;
    this.#gateOf = options.gateOf ?? (() => null);
    this.#payloadOf = options.payloadOf ?? (({ payload }) => payload);
    this.#onSent = options.onSent ?? (() => {});
    this.#log = createRepeatingLog(options.log, { clock: options.clock });
    options.connection.onRelease((topic) => this.#release(topic));
  }

  /** Sends what there is to send. */
  wake(): void {
    while (this.#connection.connected() && this.#underway.size < WINDOW) {
      const batch = this.#outbox.next(BATCH, this.#cursor);
      for (const message of batch) {
        if (this.#underway.size >= WINDOW) return;
        this.#cursor = message.id;
        const kept = this.#kept.get(message.topic);
        if (kept !== undefined) kept.add(message.id);
        else if (!this.#underway.has(message.id)) this.#sendOrWait(message);
      }
      if (batch.length < BATCH) return;
    }
  }

  #sendOrWait(message: PendingMessage): void {
    const gate = this.#gateOf(message);
    if (gate === null) {
      void this.#send(message);
      return;
    }
    this.#kept.set(message.topic, new Set([message.id]));
    void gate.then(() => this.#release(message.topic));
  }

  /** Forgets what was under way: on a new connection the oldest message is sent first again. */
  reset(): void {
    this.#round += 1;
    this.#cursor = 0;
    this.#underway.clear();
    this.#kept.clear();
  }

  /** Messages the broker refused for good. */
  refused(): number {
    return this.#refused;
  }

  /** Messages that wait, by topic, because the broker does not take the topic now. */
  kept(): ReadonlyMap<string, number> {
    return new Map([...this.#kept].map(([topic, ids]) => [topic, ids.size]));
  }

  /** Messages that wait for their topic, all together. */
  keptCount(): number {
    return [...this.#kept.values()].reduce((sum, ids) => sum + ids.size, 0);
  }

  async #send(message: PendingMessage): Promise<void> {
    const round = this.#round;
    const { id, topic, qos, retain } = message;
    const properties = this.#propertiesOf(message);
    this.#underway.add(id);
    let lost = false;
    try {
      const how = { qos, retain, ...(properties && { properties }) };
      await this.#connection.publish(topic, this.#payloadOf(message), how);
      this.#outbox.acknowledge(id);
      this.#onSent(message);
      if (round === this.#round) this.#resume(topic);
    } catch (error) {
      lost = !this.#answered(message, error, round);
    }
    if (round !== this.#round) return;
    this.#underway.delete(id);
    if (!lost) this.wake();
  }

  /** What a refusal means for the message; false when there was none, only a lost connection. */
  #answered(message: PendingMessage, error: unknown, round: number): boolean {
    const { id, topic } = message;
    if (!isCodedError(error)) return false;
    if (error.code === 'MND_MQTT_HELD') {
      if (round === this.#round)
        this.#kept.set(topic, (this.#kept.get(topic) ?? new Set()).add(id));
      return true;
    }
    if (error.code !== 'MND_MQTT_REFUSED') return false;
    // A message that no broker will ever take must not hold up those behind it.
    this.#outbox.acknowledge(id);
    this.#onSent(message);
    this.#refused += 1;
    const fields = { code: error.code, topic, refused: this.#refused };
    this.#log.warn('refused', `an event is dropped: ${messageOf(error)}`, fields);
    return true;
  }

  /** A topic may be tried again: with its oldest message, so that the order stays. */
  #release(topic: string | null): void {
    for (const name of topic === null ? [...this.#kept.keys()] : [topic]) {
      const ids = this.#kept.get(name);
      for (const id of [...(ids ?? [])].sort((a, b) => a - b)) {
        if (this.#underway.has(id)) break;
        const [message] = this.#outbox.next(1, id - 1);
        // The message may have been dropped for its age meanwhile.
        if (message?.id === id) {
          void this.#send(message);
          break;
        }
        ids?.delete(id);
      }
    }
  }

  /** A message of the topic was taken: those behind it follow. */
  #resume(topic: string): void {
    const ids = this.#kept.get(topic);
    if (ids === undefined) return;
    this.#kept.delete(topic);
    this.#cursor = [...ids].reduce((least, id) => Math.min(least, id - 1), this.#cursor);
  }
}
