import type { IncomingMessage, PublishOptions } from '../message.js';
import type { HeldTopic } from './holds.js';

export interface Connection {
  /** Begins to connect, and never gives up until {@link Connection.close}. */
  start(): void;
  connected(): boolean;
  /** Why there is no connection, as a fragment of a sentence; null while there is one, or it was not tried. */
  fault(): string | null;
  /** Address of the broker in use, or of the one that is tried next; without user and password. */
  broker(): string;
  /**
   * Resolves when the broker has acknowledged the message (QoS 1) or the socket has taken it
   * (QoS 0). Nothing is queued here. Rejects with
   * - MND_MQTT_UNAVAILABLE when there is no connection or it is lost meanwhile,
   * - MND_MQTT_REFUSED when this broker will never take the message,
   * - MND_MQTT_HELD when it does not take it now: {@link Connection.onRelease} says when to try again.
   */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions): Promise<void>;
  /**
   * Calls `handler` for what arrives on the filters, over all reconnects. What the broker refuses is among
   * {@link held}, and asked for again. `topics`: the same without wildcards, for a broker that has none.
   */
  listen(
    filters: readonly string[],
    handler: (message: IncomingMessage) => void,
    topics?: () => readonly string[],
  ): Subscription;
  /**
   * The same for a look at what is there. Resolves when the broker has answered, or at once while there
   * is no connection; rejects with MND_MQTT_REFUSED, and is not asked for again then.
   */
  subscribe(
    filters: readonly string[],
    handler: (message: IncomingMessage) => void,
    qos?: 0 | 1,
  ): Promise<Subscription>;
  /** Calls `listener` after every successful connect, when subscriptions have been asked for again. */
  onConnect(listener: () => void): void;
  onDisconnect(listener: () => void): void;
  /** Calls `listener` when a topic that was held back may be tried again; null: all of them. */
  onRelease(listener: (topic: string | null) => void): void;
  /** What the broker does not take now. */
  held(): HeldTopic[];
  /** Promises that the broker cannot keep, as sentences. */
  limits(): string[];
  /** Disconnects properly (the will is not published) within about a second. */
  close(): Promise<void>;
}

export interface Subscription {
  close(): Promise<void>;
}
