import type { Log } from '../../log.js';
import type { BrokerLimits } from './broker-limits.js';
import type { Holds } from './holds.js';
import type { Culprit } from './suspects.js';

/** A payload from this size on is taken to be refused for its size. */
const LARGE_BYTES = 16 * 1024;

/** What follows when a broker was found to close the connection over something. */
export class Verdicts {
  readonly #limits: BrokerLimits;
  readonly #holds: Holds;
  readonly #log: Log;
  /** Topics that the connection was lost over for their size: the next time it is the topic. */
  readonly #oversized = new Set<string>();

  constructor(limits: BrokerLimits, holds: Holds, log: Log) {
    this.#limits = limits;
    this.#holds = holds;
    this.#log = log;
  }

  /** The broker closes the connection over this. */
  convict({ subject, bytes, qos, retain, kind, refused }: Culprit): void {
    if (refused !== null) {
      const reason = `${refused}; then the broker closes the connection`;
      this.#holds.hold(subject, reason, { costly: true, bytes: 0 });
      return;
    }
    // One topic is a rule about it; a second one, and no message ever taken, is something else.
    if (kind === 'message' && this.#holds.costly && this.#limits.concede({ qos, retain })) {
      this.#holds.clear();
      return;
    }
    if (kind === 'subscription' && this.#limits.concedeSubscription(subject)) return;
    if (bytes >= LARGE_BYTES && !this.#oversized.has(subject)) {
      this.#oversized.add(subject);
      this.#limits.refusedSize(bytes);
      this.#log.warn(
        { code: 'MND_MQTT_REFUSED', topic: subject },
        `${subject}: the broker closes the connection over its ${bytes} bytes; nothing of this size is sent for an hour`,
      );
      return;
    }
    // The topic is at fault, not the size: what was concluded about sizes from it does not hold.
    if (this.#oversized.has(subject)) this.#limits.forgetSize();
    const reason = 'the broker closes the connection over it';
    this.#holds.hold(subject, reason, { costly: true, bytes });
  }
}
