/** Smaller messages are never held responsible for a lost connection. */
const SUSPECT_BYTES = 16 * 1024;
/** A broker that dislikes a message's size closes the connection at once. */
const SUSPECT_MS = 3000;
const STRIKES = 3;

/**
 * Learns how large a payload the broker takes. MQTT 5 brokers say it; an MQTT 3.1.1 broker closes the
 * connection without a word, and a retained picture that is sent again after every reconnect would
 * keep it closed for ever. So a large message that was on its way at three losses in a row is taken
 * for the reason, and nothing of its size is sent any more.
 */
export function createSizeLimit(
  configured: number,
  monotonic: () => number,
): {
  /** Bytes of the largest payload to send. */
  limit(): number;
  setServerLimit(packetBytes: number | undefined): void;
  /** Notes a payload on its way; call what it returns when the broker has acknowledged it. */
  sending(bytes: number): () => void;
  connectionLost(): void;
} {
  let learned = configured;
  let server = Number.POSITIVE_INFINITY;
  let strikes = 0;
  let underway: { bytes: number; at: number }[] = [];

  function recent(): { bytes: number; at: number }[] {
    return underway.filter((entry) => monotonic() - entry.at < SUSPECT_MS);
  }

  return {
    limit: () => Math.min(learned, server),
    setServerLimit(packetBytes) {
      // Room for the topic and the properties in the same packet.
      server = packetBytes === undefined ? Number.POSITIVE_INFINITY : packetBytes - 1024;
    },
    sending(bytes) {
      if (bytes < SUSPECT_BYTES) return () => {};
      const entry = { bytes, at: monotonic() };
      underway = [...recent(), entry].slice(-32);
      return () => {
        underway = underway.filter((other) => other !== entry);
        strikes = 0;
      };
    },
    connectionLost() {
      const suspects = recent();
      underway = [];
      if (suspects.length === 0) {
        strikes = 0;
        return;
      }
      strikes++;
      if (strikes < STRIKES) return;
      strikes = 0;
      learned = Math.min(learned, Math.max(...suspects.map((entry) => entry.bytes)) - 1);
    },
  };
}
