import type { Connection } from '../connection/connection.js';
import type { OutboxDrain } from './drain.js';
import { isoTime } from './payloads.js';
import type { RetainedState } from './retained.js';

/** Topics that are listed; a broker that takes nothing would fill pages. */
const MAX_LISTED = 20;

/** What the broker does not take, for `status` and `health`. */
export interface DeliveryReport {
  /** Topics that are held back for now, with the events that wait for each. Times are ISO 8601. */
  readonly held: readonly {
    readonly topic: string;
    readonly reason: string;
    readonly since: string;
    readonly retry: string;
    readonly events: number;
  }[];
  /** Retained topics that the broker will not take as they are. */
  readonly left_out: readonly { readonly topic: string; readonly reason: string }[];
  /** How many there are of both, listed or not. */
  readonly not_taken: number;
  /** Events that the broker refused for good, and that were dropped. */
  readonly refused_events: number;
  /** Promises that the broker cannot keep. */
  readonly limits: readonly string[];
}

export function deliveryReport(
  connection: Connection,
  drain: OutboxDrain,
  retained: RetainedState,
): DeliveryReport {
  const held = connection.held();
  const kept = drain.kept();
  const refused = [...retained.refused()];
  return {
    held: held.slice(0, MAX_LISTED).map(({ topic, reason, since, retryAt }) => ({
      topic,
      reason,
      since: isoTime(since),
      retry: isoTime(retryAt),
      events: kept.get(topic) ?? 0,
    })),
    left_out: refused.slice(0, MAX_LISTED).map(([topic, reason]) => ({ topic, reason })),
    not_taken: held.length + refused.length,
    refused_events: drain.refused(),
    limits: connection.limits(),
  };
}
