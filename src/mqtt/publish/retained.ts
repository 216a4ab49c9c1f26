import { isCodedError, messageOf } from '../../errors.js';
import { createRepeatingLog, type Log, type RepeatingLog } from '../../log.js';
import type { Clock } from '../../time.js';
import type { Connection, MessageProperties } from '../connection/connection.js';

/** Messages under way at a time; the rest waits as one entry a topic. */
const WINDOW = 16;
const MAX_TOPICS = 16_384;
/** A topic that is refused is named once an hour. */
const REPORT_MS = 3_600_000;

export interface RetainedOptions {
  readonly qos: 0 | 1;
  readonly properties?: MessageProperties;
}

interface Entry {
  payload: string | Uint8Array;
  options: RetainedOptions;
  /** What the broker has of this connection; null before. */
  sent: string | Uint8Array | null;
  busy: boolean;
}

/** What the retained topics of this board should say. */
export interface RetainedState {
  /** Says it now, or with the next connection; only the newest of several is sent. */
  set(topic: string, payload: string | Uint8Array, options: RetainedOptions): void;
  /** Removes the topic's retained message from the broker, and from the state. */
  clear(topic: string): void;
  has(topic: string): boolean;
  topics(): string[];
  /** Says everything again, as after a reconnect: the broker may have forgotten it. */
  republish(): void;
  /** Resolves when everything has been said and acknowledged, or the connection is lost. */
  settled(): Promise<void>;
  /** Topics whose payload the broker will not take, and why. */
  refused(): ReadonlyMap<string, string>;
  /** Resolves when this payload of the topic, or a newer one, has gone out or cannot. */
  published(topic: string): Promise<void>;
}

/**
 * Keeps a broker's retained messages equal to a table. A topic that changes faster than the broker
 * takes it costs one message under way and one waiting, however long that lasts.
 */
export function createRetainedState(options: {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
}): RetainedState {
  return new RetainedTable(options.connection, options.clock, options.log);
}

class RetainedTable implements RetainedState {
  readonly #connection: Connection;
  readonly #log: RepeatingLog;
  readonly #entries = new Map<string, Entry>();
  readonly #dirty = new Set<string>();
  /** What the broker does not take now; said when it may be tried again. */
  readonly #held = new Set<string>();
  /** What it will not take as it is; a payload that is taken ends it. */
  readonly #refused = new Map<string, string>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #underway = 0;
  #round = 0;
  #waiters: (() => void)[] = [];

  constructor(connection: Connection, clock: Clock, log: Log) {
    this.#connection = connection;
    this.#log = createRepeatingLog(log, { interval: REPORT_MS, clock });
    connection.onRelease((topic) => this.#release(topic));
  }

  set(topic: string, payload: string | Uint8Array, how: RetainedOptions): void {
    const entry = this.#entries.get(topic);
    if (entry === undefined) {
      if (this.#entries.size >= MAX_TOPICS) {
        this.#log.warn('full', `${MAX_TOPICS} retained topics are too many: ${topic} is left out`);
        return;
      }
      this.#entries.set(topic, { payload, options: how, sent: null, busy: false });
    } else {
      const isKnown = entry.sent === payload || entry.busy || this.#dirty.has(topic);
      if (entry.payload === payload && isKnown) return;
      entry.payload = payload;
      entry.options = how;
    }
    this.#dirty.add(topic);
    this.#pump();
  }

  clear(topic: string): void {
    this.set(topic, '', { qos: 1 });
  }

  has(topic: string): boolean {
    return this.#entries.has(topic);
  }

  topics(): string[] {
    return [...this.#entries.keys()];
  }

  republish(): void {
    this.#round++;
    this.#underway = 0;
    this.#held.clear();
    // In the same order every time: what a broker closes the connection over then comes again first.
    this.#dirty.clear();
    for (const [topic, entry] of this.#entries) {
      entry.busy = false;
      entry.sent = null;
      this.#dirty.add(topic);
    }
    this.#pump();
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#pump();
    });
  }

  refused(): ReadonlyMap<string, string> {
    return this.#refused;
  }

  published(topic: string): Promise<void> {
    const waits = this.#dirty.has(topic) || this.#entries.get(topic)?.busy === true;
    if (!waits || !this.#connection.connected()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.set(topic, [...(this.#waiting.get(topic) ?? []), resolve]);
    });
  }

  #pump(): void {
    while (this.#connection.connected() && this.#underway < WINDOW) {
      const topic = this.#firstIdle();
      if (topic === undefined) break;
      this.#dirty.delete(topic);
      const entry = this.#entries.get(topic);
      if (entry !== undefined) void this.#send(topic, entry);
    }
    const connected = this.#connection.connected();
    if (!connected) for (const topic of [...this.#waiting.keys()]) this.#tellSaid(topic);
    if (connected && (this.#underway > 0 || this.#dirty.size > 0)) return;
    for (const resolve of this.#waiters) resolve();
    this.#waiters = [];
  }

  #firstIdle(): string | undefined {
    for (const topic of this.#dirty) if (!this.#entries.get(topic)?.busy) return topic;
    return undefined;
  }

  async #send(topic: string, entry: Entry): Promise<void> {
    const { payload } = entry;
    const round = this.#round;
    entry.busy = true;
    this.#underway++;
    try {
      await this.#connection.publish(topic, payload, { ...entry.options, retain: true });
      if (round === this.#round) entry.sent = payload;
      this.#refused.delete(topic);
    } catch (error) {
      this.#failed(topic, error);
    }
    // After a reconnect the counts begin anew; this one belonged to the old connection.
    if (round !== this.#round) return;
    this.#underway--;
    entry.busy = false;
    const gone = payload.length === 0 && entry.payload === payload && !this.#held.has(topic);
    if (gone) {
      this.#entries.delete(topic);
      this.#refused.delete(topic);
    }
    if (!this.#dirty.has(topic)) this.#tellSaid(topic);
    this.#pump();
  }

  #failed(topic: string, error: unknown): void {
    if (!isCodedError(error)) return;
    // The connection tells of what it holds back.
    if (error.code === 'MND_MQTT_HELD') this.#held.add(topic);
    if (error.code !== 'MND_MQTT_REFUSED') return;
    this.#refused.set(topic, error.detail.found ?? '');
    // A picture that is too large for a broker is one with every event.
    this.#log.warn(topic, messageOf(error), { code: error.code, topic });
  }

  #tellSaid(topic: string): void {
    for (const resolve of this.#waiting.get(topic) ?? []) resolve();
    this.#waiting.delete(topic);
  }

  #release(topic: string | null): void {
    for (const held of topic === null ? [...this.#held] : [topic]) {
      if (this.#held.delete(held) && this.#entries.has(held)) this.#dirty.add(held);
    }
    this.#pump();
  }
}
