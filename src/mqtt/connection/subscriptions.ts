import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import type { IncomingMessage } from '../message.js';
import { matchesFilter } from '../topics.js';

/** Somebody who wants what arrives on some topic filters. */
export interface Registration {
  /** Subscription identifier of MQTT 5, from 1. */
  readonly id: number;
  readonly filters: readonly string[];
  /** The topics that the filters stand for, for a broker without wildcards; absent: nothing is asked for there. */
  readonly topics?: () => readonly string[];
  readonly handler: (message: IncomingMessage) => void;
  readonly qos: 0 | 1;
  /** The subscription is asked for until the broker grants it. */
  readonly lasting: boolean;
}

/**
 * Hands a message to everybody who asked for its topic; a handler that throws harms nobody else.
 *
 * An MQTT 5 broker may send a message once for each filter that matches (3.3.4): `ids`, the
 * subscription identifiers it carries, then tell for whom this copy is. Empty: for all.
 */
export function deliver(
  registrations: ReadonlySet<Registration>,
  message: IncomingMessage,
  ids: readonly number[],
  log: Log,
): void {
  for (const { id, filters, handler } of [...registrations]) {
    if (ids.length > 0 && !ids.includes(id)) continue;
    if (!filters.some((filter) => matchesFilter(filter, message.topic))) continue;
    try {
      handler(message);
    } catch (error) {
      log.error({ topic: message.topic }, `a message handler failed: ${messageOf(error)}`);
    }
  }
}
