import type { RetainedMessage } from './retained-file.js';

export interface LedgerOptions {
  /** Topics that others than this board may keep. */
  readonly maxTopics: number;
  /** Bytes of all topics and payloads together. */
  readonly maxBytes: number;
  /** This board's own: they have room when that of the others is used up. */
  readonly own: (topic: string) => boolean;
  /** Whether the message is to outlive the broker. */
  readonly lasting: (topic: string) => boolean;
}

/** Share of the bytes that others may use. */
const OTHERS = 0.75;

interface Entry {
  readonly bytes: number;
  readonly copy: RetainedMessage | null;
}

/** What an embedded broker has retained: bounded, with a copy of what is to outlive it. */
export class RetainedLedger {
  readonly #options: LedgerOptions;
  readonly #entries = new Map<string, Entry>();
  #total = 0;
  #ofOthers = 0;
  #others = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Notes a retained message, or with an empty payload its end; false if there is no room for it. */
  admit(message: RetainedMessage): boolean {
    const { topic, payload, qos } = message;
    const own = this.#options.own(topic);
    const before = this.#entries.get(topic);
    const bytes = payload.length === 0 ? 0 : payload.length + Buffer.byteLength(topic);
    const more = bytes - (before?.bytes ?? 0);
    if (bytes > 0 && !this.#hasRoom(own, before === undefined, more)) return false;
    this.#total += more;
    this.#entries.delete(topic);
    if (!own) {
      this.#ofOthers += more;
      this.#others += (bytes > 0 ? 1 : 0) - (before === undefined ? 0 : 1);
    }
    if (bytes === 0) return true;
    // A copy, since the payload is a view of what arrived on the socket with much else.
    const copy = this.#options.lasting(topic)
      ? { topic, payload: Buffer.from(payload), qos }
      : null;
    this.#entries.set(topic, { bytes, copy });
    return true;
  }

  lasting(): RetainedMessage[] {
    return [...this.#entries.values()].flatMap(({ copy }) => (copy === null ? [] : [copy]));
  }

  #hasRoom(own: boolean, fresh: boolean, more: number): boolean {
    const { maxBytes, maxTopics } = this.#options;
    if (this.#total + more > maxBytes) return false;
    if (own) return true;
    if (fresh && this.#others >= maxTopics) return false;
    // With a small bound there is no share to speak of.
    const share = maxBytes > 1e6 ? maxBytes * OTHERS : maxBytes;
    return this.#ofOthers + more <= share;
  }
}
