import { createRepeatingLog, type Log, type RepeatingLog } from '../log.js';
import { type Backoff, type Clock, createBackoff, sleep } from '../time.js';
import type { Outcome, Send } from './channel.js';
import type { Message } from './notice.js';

/** A notification that waits; `created` in milliseconds since the epoch. */
export interface Waiting {
  readonly id: number;
  readonly created: number;
  readonly payload: string;
}

/** What waits for one channel of one rule, oldest first; it survives the process. */
export interface LaneQueue {
  /** Null: nothing waits. */
  next(): Waiting | null;
  /** False when it was there no more: it has become too old, or there were too many. */
  remove(id: number): boolean;
  /** Removes what is too old or too much; returns how many that were. */
  trim(): number;
  waiting(): number;
}

export interface LaneOptions {
  readonly rule: string;
  readonly channel: string;
  /** Where it leads, for people. */
  readonly target: string;
  readonly send: Send;
  readonly queue: LaneQueue;
  /** Makes the message of what was kept; null: it cannot be read. Its picture is waited for here. */
  readonly messageOf: (payload: string, created: number) => Promise<Message | null>;
  readonly clock: Clock;
  readonly log: Log;
  readonly backoff?: Backoff;
}

/** How a channel of a rule fares, for `status` and `health`. */
export interface LaneReport {
  readonly rule: string;
  readonly channel: string;
  readonly target: string;
  readonly waiting: number;
  /** Since the start. */
  readonly sent: number;
  /** Too old or too many. */
  readonly given_up: number;
  /** The other side will never take them. */
  readonly refused: number;
  /** Why the last attempt failed, and since when it does (ISO 8601); null when it did not. */
  readonly error: string | null;
  readonly since: string | null;
}

const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 300_000;
/** Attempts at a message that fail in a way that nobody foresaw; then it is dropped. */
const MOST_THROWN = 3;
/** Notifications that may come until the bounds are looked at again. */
const TRIM_AFTER = 20;

/** Hands on what waits for one channel of one rule, one after the other, at least once each. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #backoff: Backoff;
  readonly #repeating: RepeatingLog;
  readonly #ending = new AbortController();
  #work: Promise<void> | null = null;
  #isStale = false;
  /** How often the message that failed last has failed in a way that nobody foresaw. */
  #thrown = { id: -1, times: 0 };
  #added = 0;
  #sent = 0;
  #givenUp = 0;
  #refused = 0;
  #failure: { readonly why: string; readonly since: number } | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { log, clock } = options;
    this.#repeating = createRepeatingLog(log, { clock });
    this.#backoff =
      options.backoff ?? createBackoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  }

  /** Something may be waiting. */
  wake(): void {
    this.#added += 1;
    // Not for every one: in a storm that would be as much work as the storm itself.
    if (this.#added >= TRIM_AFTER) this.#trim();
    if (this.#work !== null) {
      this.#isStale = true;
      return;
    }
    this.#work = this.#run().finally(() => {
      this.#work = null;
      if (this.#isStale && !this.#ending.signal.aborted) this.wake();
    });
  }

  report(): LaneReport {
    const { rule, channel, target, queue } = this.#options;
    return {
      rule,
      channel,
      target,
      waiting: queue.waiting(),
      sent: this.#sent,
      given_up: this.#givenUp,
      refused: this.#refused,
      error: this.#failure?.why ?? null,
      since: this.#failure === null ? null : new Date(this.#failure.since).toISOString(),
    };
  }

  /** Gives up what is under way; it stays in the queue. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { queue, clock } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#isStale = false;
      this.#trim();
      const next = queue.next();
      if (next === null) return;
      const outcome = await this.#attempt(next);
      if (outcome === null) return;
      if (signal.aborted && outcome.kind !== 'done') return;
      const waitMs = this.#settle(next.id, outcome);
      if (waitMs > 0) await sleep(clock, waitMs, signal);
    }
  }

  /** Null: it was stopped before anything was sent. Never rejects: one message must not stop the others. */
  async #attempt({ id, payload, created }: Waiting): Promise<Outcome | null> {
    const { messageOf, send } = this.#options;
    const { signal } = this.#ending;
    try {
      const message = await messageOf(payload, created);
      if (signal.aborted) return null;
      if (message === null) return { kind: 'never', why: 'it was kept by another version' };
      return await send(message, signal);
    } catch (error) {
      this.#thrown = { id, times: this.#thrown.id === id ? this.#thrown.times + 1 : 1 };
      // Its message may hold an address that is a secret.
      const why = `it cannot be sent (${error instanceof Error ? error.name : 'Error'})`;
      if (this.#thrown.times >= MOST_THROWN) return { kind: 'never', why };
      return { kind: 'later', why, afterMs: null };
    }
  }

  /** What an attempt means; returns how long to wait before the next, ms. */
  #settle(id: number, outcome: Outcome): number {
    const { queue, log, clock } = this.#options;
    if (outcome.kind === 'later') {
      this.#failed(outcome.why);
      return Math.max(outcome.afterMs ?? 0, this.#backoff.next());
    }
    // What was given up while it was under way is not lost.
    if (!queue.remove(id)) this.#givenUp -= 1;
    if (outcome.kind === 'never') {
      this.#refused += 1;
      const dropped = `${this.#name()}: a notification is dropped, ${outcome.why}`;
      this.#repeating.warn('dropped', dropped);
      // One that takes nothing must not be asked as fast as it answers.
      return this.#backoff.next();
    }
    this.#sent += 1;
    this.#backoff.reset();
    if (this.#failure !== null) {
      const seconds = Math.round((clock.wall() - this.#failure.since) / 1000);
      log.info({}, `${this.#name()} works again after ${seconds} s`);
      this.#failure = null;
    }
    return 0;
  }

  /** Said once, until it works again. */
  #failed(why: string): void {
    const { log, clock } = this.#options;
    if (this.#failure === null) {
      log.warn({}, `${this.#name()}: ${why}; what is to be told waits and is tried again`);
    }
    this.#failure = { why, since: this.#failure?.since ?? clock.wall() };
  }

  #trim(): void {
    this.#added = 0;
    const gone = this.#options.queue.trim();
    if (gone === 0) return;
    this.#givenUp += gone;
    const given = `${this.#name()}: notifications are given up, too old or too many`;
    this.#repeating.warn('given up', given, { given_up: this.#givenUp });
  }

  #name(): string {
    const { rule, channel, target } = this.#options;
    return `rule ${rule}, ${channel} to ${target}`;
  }
}
