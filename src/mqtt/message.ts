/** Properties that only MQTT 5 carries; left out on MQTT 3.1.1. */
export interface MessageProperties {
  /** Seconds after which a broker throws an undelivered message away. */
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  readonly correlationData?: Buffer;
  readonly userProperties?: Readonly<Record<string, string>>;
}

export interface PublishOptions {
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties?: MessageProperties;
}

/** A message that arrived. */
export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** True for a stored message that was there before we subscribed. */
  readonly retain: boolean;
  /** MQTT 5 only: what an answer is to carry. */
  readonly correlationData?: Buffer;
}

/** A message on its way out. */
export interface OutgoingMessage {
  readonly topic: string;
  /** The exact bytes; text goes out as UTF-8. */
  readonly payload: string | Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** A message that no broker has acknowledged yet. Ids rise in the order of recording. */
export interface PendingMessage {
  readonly id: number;
  /** When it was recorded, milliseconds since the epoch. */
  readonly created: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** Messages that wait for a broker's acknowledgement; the store keeps them. */
export interface Outbox {
  /** The oldest messages with an id above `after` that nobody acknowledged, in order. */
  next(limit: number, after?: number): PendingMessage[];
  /** Removes a message with the next commit; a crash before that sends it once more. */
  acknowledge(id: number): void;
  depth(): number;
  /** Messages dropped unsent since the start: too old, or too many. */
  dropped(): number;
  /** Calls `listener` after every commit that added messages; returns how to end that. */
  onAdded(listener: () => void): () => void;
}
