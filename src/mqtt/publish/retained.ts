import { isCodedError, messageOf } from '../../errors.js';
import type { Connection, MessageProperties } from '../connection/connection.js';
import type { Log } from '../log.js';
import { createRefusals } from '../refusals.js';

/** Messages under way at a time; the rest waits as one entry a topic. */
const WINDOW = 16;
const MAX_TOPICS = 16_384;

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
}

/**
 * Keeps a broker's retained messages equal to a table. A topic that changes faster than the broker
 * takes it costs one message under way and one waiting, however long that lasts.
 */
export function createRetainedState(options: {
  readonly connection: Connection;
  readonly log: Log;
  /** Monotonic, milliseconds. */
  readonly monotonic?: () => number;
}): RetainedState {
  const { connection, log } = options;
  const refusals = createRefusals(log, options.monotonic ?? (() => performance.now()));
  const entries = new Map<string, Entry>();
  const dirty = new Set<string>();
  let underway = 0;
  let round = 0;
  let waiters: (() => void)[] = [];

  function pump(): void {
    while (connection.connected() && underway < WINDOW) {
      const topic = firstIdle();
      if (topic === undefined) break;
      dirty.delete(topic);
      const entry = entries.get(topic);
      if (entry !== undefined) void send(topic, entry);
    }
    if (connection.connected() && (underway > 0 || dirty.size > 0)) return;
    for (const resolve of waiters) resolve();
    waiters = [];
  }

  function firstIdle(): string | undefined {
    for (const topic of dirty) if (!entries.get(topic)?.busy) return topic;
    return undefined;
  }

  async function send(topic: string, entry: Entry): Promise<void> {
    const { payload } = entry;
    const mine = round;
    entry.busy = true;
    underway++;
    try {
      await connection.publish(topic, payload, { ...entry.options, retain: true });
      if (mine === round) entry.sent = payload;
    } catch (error) {
      refused(topic, error);
    }
    // After a reconnect the counts begin anew; this one belonged to the old connection.
    if (mine !== round) return;
    underway--;
    entry.busy = false;
    if (payload.length === 0 && entry.payload === payload) entries.delete(topic);
    pump();
  }

  function refused(topic: string, error: unknown): void {
    if (!isCodedError(error) || error.code !== 'MND_MQTT_REFUSED') return;
    // A picture that is too large for a broker is one with every event.
    refusals.note({ code: error.code, topic }, messageOf(error));
  }

  function set(topic: string, payload: string | Uint8Array, how: RetainedOptions): void {
    const entry = entries.get(topic);
    if (entry === undefined) {
      if (entries.size >= MAX_TOPICS) return;
      entries.set(topic, { payload, options: how, sent: null, busy: false });
    } else {
      const said = entry.sent === payload || entry.busy || dirty.has(topic);
      if (entry.payload === payload && said) return;
      entry.payload = payload;
      entry.options = how;
    }
    dirty.add(topic);
    pump();
  }

  return {
    set,
    clear: (topic) => set(topic, '', { qos: 1 }),
    has: (topic) => entries.has(topic),
    topics: () => [...entries.keys()],
    republish() {
      round++;
      underway = 0;
      for (const [topic, entry] of entries) {
        entry.busy = false;
        entry.sent = null;
        dirty.add(topic);
      }
      pump();
    },
    settled: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        pump();
      }),
  };
}
