import type { RetainedMessage } from './retained-file.js';

export interface LedgerOptions {
  readonly maxTopics: number;
  /** Bytes of all payloads together. */
  readonly maxBytes: number;
  /** Whether the message is to outlive the broker. */
  readonly lasting: (topic: string) => boolean;
  /** Called once, when the first message had to be left out. */
  readonly onFull: (topic: string) => void;
}

/** What an embedded broker has retained: bounded, with a copy of what is to outlive it. */
export interface RetainedLedger {
  /** Notes a retained message, or with an empty payload its end; false if there is no room for it. */
  admit(message: RetainedMessage): boolean;
  lasting(): RetainedMessage[];
}

export function createRetainedLedger(options: LedgerOptions): RetainedLedger {
  const entries = new Map<
    string,
    { readonly bytes: number; readonly copy: RetainedMessage | null }
  >();
  let total = 0;
  let full = false;
  return {
    admit(message) {
      const { topic, payload, qos } = message;
      const before = entries.get(topic);
      const bytes = payload.length;
      const after = total - (before?.bytes ?? 0) + bytes;
      const room = before !== undefined || entries.size < options.maxTopics;
      if (bytes > 0 && !(room && after <= options.maxBytes)) {
        if (!full) options.onFull(topic);
        full = true;
        return false;
      }
      total = after;
      entries.delete(topic);
      if (bytes === 0) return true;
      // A copy, since the payload is a view of what arrived on the socket with much else.
      const copy = options.lasting(topic) ? { topic, payload: Buffer.from(payload), qos } : null;
      entries.set(topic, { bytes, copy });
      return true;
    },
    lasting: () => [...entries.values()].flatMap(({ copy }) => (copy === null ? [] : [copy])),
  };
}
