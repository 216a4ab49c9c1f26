import { messageOf } from '../errors.js';
import type { IncomingMessage } from './connection.js';
import type { Log } from './log.js';
import { matchesFilter } from './topics.js';

/** Somebody who wants what arrives on some topic filters. */
export interface Registration {
  readonly filters: readonly string[];
  readonly handler: (message: IncomingMessage) => void;
  readonly qos: 0 | 1;
}

/** Hands a message to everybody who asked for its topic; a handler that throws harms nobody else. */
export function deliver(
  registrations: ReadonlySet<Registration>,
  message: IncomingMessage,
  log: Log,
): void {
  for (const { filters, handler } of [...registrations]) {
    if (!filters.some((filter) => matchesFilter(filter, message.topic))) continue;
    try {
      handler(message);
    } catch (error) {
      log.error({ topic: message.topic }, `a message handler failed: ${messageOf(error)}`);
    }
  }
}
