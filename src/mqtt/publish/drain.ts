import { isCodedError, messageOf } from '../../errors.js';
import type { Connection, MessageProperties } from '../connection/connection.js';
import type { Log } from '../log.js';
import type { Outbox, PendingMessage } from '../message.js';
import { createRefusals } from '../refusals.js';

/** Messages under way at a time. */
const WINDOW = 16;

/**
 * Sends the outbox in order, a window at a time; a message leaves it when the broker has acknowledged
 * it. After a lost connection it begins again with the oldest that was not: at least once, in order.
 */
export function createDrain(options: {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly propertiesOf: (message: PendingMessage) => MessageProperties;
  readonly monotonic: () => number;
  readonly log: Log;
}): {
  /** Sends what there is to send. */
  wake(): void;
  /** Forgets what was under way: on a new connection the oldest message is sent first again. */
  reset(): void;
  /** Messages the broker refused for good. */
  refused(): number;
} {
  const { connection, outbox, log } = options;
  let cursor = 0;
  let underway = 0;
  let round = 0;
  const refusals = createRefusals(log, options.monotonic);

  function wake(): void {
    if (!connection.connected() || underway >= WINDOW) return;
    for (const message of outbox.next(WINDOW - underway, cursor)) {
      cursor = message.id;
      underway++;
      void send(message);
    }
  }

  async function send(message: PendingMessage): Promise<void> {
    const mine = round;
    const { topic, payload, qos, retain } = message;
    const properties = options.propertiesOf(message);
    let lost = false;
    try {
      await connection.publish(topic, payload, { qos, retain, properties });
      outbox.acknowledge(message.id);
    } catch (error) {
      lost = !refusedForGood(message, error);
    }
    if (mine !== round) return;
    underway--;
    if (!lost) wake();
  }

  /** A message that no broker will ever take must not hold up those behind it. */
  function refusedForGood(message: PendingMessage, error: unknown): boolean {
    if (!isCodedError(error) || error.code !== 'MND_MQTT_REFUSED') return false;
    outbox.acknowledge(message.id);
    refusals.note({ code: error.code, topic: message.topic }, messageOf(error));
    return true;
  }

  return {
    wake,
    reset() {
      round++;
      cursor = 0;
      underway = 0;
    },
    refused: refusals.total,
  };
}
