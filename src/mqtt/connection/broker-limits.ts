import type { IConnackPacket } from 'mqtt';
import type { MessageProperties, PublishOptions } from '../message.js';
import type { ProtocolVersion } from './protocol-choice.js';

/** A message in the form that this broker takes. */
export interface FittedMessage extends PublishOptions {
  /** Bytes of its PUBLISH packet. */
  readonly packetBytes: number;
}

const UNKNOWN_SUBSCRIPTIONS = { qos: 1, over: null, confirmed: false } as const;
/** Learned limits are tried anew after this long: a broker's configuration changes. */
const FORGET_MS = 3_600_000;

/**
 * What the broker takes: what it says itself (MQTT 5, CONNACK), and what it has taught us by refusing.
 * Messages are brought into a form that it takes; what that costs is told by {@link broken}.
 */
export class BrokerLimits {
  readonly #maxPayload: number;
  readonly #now: () => number;
  #protocol: ProtocolVersion = 5;
  #packetBytes = Number.POSITIVE_INFINITY;
  #maxQos: 0 | 1 = 1;
  #retains = true;
  #wildcards = true;
  /** Payload that was found too large, and when that was learned. */
  #refusedBytes = Number.POSITIVE_INFINITY;
  #refusedAt = 0;
  /** What a broker that says nothing (3.1.1) seems to lack, and whether that has helped. */
  #assumed = { qos: false, retain: false, confirmed: false };
  /** Whether subscriptions are asked for with QoS 0, and over which one that was concluded. */
  #subscriptions: { qos: 0 | 1; over: string | null; confirmed: boolean } = UNKNOWN_SUBSCRIPTIONS;
  /** What a message was taken with. */
  #proven = { qos: false, retain: false };

  /** @param maxPayload bytes; @param now monotonic, milliseconds */
  constructor(maxPayload: number, now: () => number) {
    this.#maxPayload = maxPayload;
    this.#now = now;
  }

  connected(packet: IConnackPacket, protocol: ProtocolVersion): void {
    const { properties } = packet;
    this.#protocol = protocol;
    this.#packetBytes = properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.#maxQos = properties?.maximumQoS === 0 ? 0 : 1;
    this.#retains = properties?.retainAvailable !== false;
    this.#wildcards = properties?.wildcardSubscriptionAvailable !== false;
  }

  get maxQos(): 0 | 1 {
    return this.#assumed.qos ? 0 : this.#maxQos;
  }

  get retains(): boolean {
    return this.#retains && !this.#assumed.retain;
  }

  get wildcards(): boolean {
    return this.#wildcards;
  }

  /** The most that is asked for in subscriptions. */
  get subscriptionQos(): 0 | 1 {
    return this.#subscriptions.qos;
  }

  /**
   * The broker closes the connection over a subscription. RabbitMQ up to 3.11 does so when the node that
   * keeps the queue of it is away, and only with QoS 1: true when it is from now on asked for with QoS 0.
   */
  concedeSubscription(subject: string): boolean {
    const { over } = this.#subscriptions;
    const concedes = over === null;
    // A second one, or the same again: it is not the QoS.
    this.#subscriptions = { qos: concedes ? 0 : 1, over: over ?? subject, confirmed: false };
    return concedes;
  }

  /** The broker has granted a subscription. */
  granted(subject: string): void {
    const { qos, over } = this.#subscriptions;
    if (qos === 0 && over === subject) this.#subscriptions = { qos, over, confirmed: true };
  }

  /** The broker takes the will in this form only. */
  assumeWill({ qos, retain }: { readonly qos: 0 | 1; readonly retain: boolean }): void {
    if (qos === 0 || !retain) this.#assumed = { qos: qos === 0, retain: !retain, confirmed: true };
  }

  /**
   * The broker closes the connection over one message after the other. MQTT 3.1.1 has no words for one
   * without QoS 1 or retained messages: true when messages are from now on sent without what none was
   * ever taken with.
   */
  concede({ qos, retain }: { readonly qos: 0 | 1; readonly retain: boolean }): boolean {
    if (this.#protocol === 5) return false;
    if (qos === 1 && !this.#proven.qos && !this.#assumed.qos) {
      this.#assumed = { ...this.#assumed, qos: true };
      return true;
    }
    if (retain && !this.#proven.retain && !this.#assumed.retain) {
      this.#assumed = { ...this.#assumed, retain: true };
      return true;
    }
    if (!this.#assumed.confirmed) this.forget();
    return false;
  }

  /** The broker has taken a message of so many bytes: what had been concluded otherwise was wrong. */
  took(bytes: number, { qos, retain }: { readonly qos: 0 | 1; readonly retain: boolean }): void {
    if (bytes >= this.#refusedBytes) this.#refusedBytes = Number.POSITIVE_INFINITY;
    if (qos === 1) this.#proven.qos = true;
    if (retain) this.#proven.retain = true;
    if (this.#assumed.qos || this.#assumed.retain) this.#assumed.confirmed = true;
  }

  /** The next connection is taken as one to a broker that nothing is known of. */
  forget(): void {
    this.#assumed = { qos: false, retain: false, confirmed: false };
    this.#proven = { qos: false, retain: false };
    this.#subscriptions = UNKNOWN_SUBSCRIPTIONS;
  }

  /** A payload of so many bytes was found too large. */
  refusedSize(bytes: number): void {
    this.#refusedBytes = Math.min(this.#refused(), bytes);
    this.#refusedAt = this.#now();
  }

  /** What was concluded about sizes is not so. */
  forgetSize(): void {
    this.#refusedBytes = Number.POSITIVE_INFINITY;
  }

  /** The message as this broker takes it, or why it does not. */
  fit(
    topic: string,
    bytes: number,
    how: PublishOptions,
  ): FittedMessage | { readonly fault: string } {
    const payloadLimit = Math.min(this.#maxPayload, this.#refused() - 1);
    if (bytes > payloadLimit) {
      return { fault: `${bytes} bytes where this broker takes ${payloadLimit}` };
    }
    const form = {
      qos: how.qos === 1 ? this.maxQos : how.qos,
      retain: how.retain && this.retains,
    } as const;
    // What only describes the message is left out before the message is.
    const { contentType: _type, userProperties: _user, ...needed } = how.properties ?? {};
    for (const properties of [how.properties ?? {}, needed]) {
      const packetBytes = this.#packetSize(topic, bytes, form.qos, properties);
      if (packetBytes <= this.#packetBytes) return { ...form, properties, packetBytes };
    }
    const least = this.#packetSize(topic, bytes, form.qos, needed);
    return { fault: `a packet of ${least} bytes where this broker takes ${this.#packetBytes}` };
  }

  /** The promises that this broker cannot keep, as sentences without a full stop. */
  broken(): string[] {
    const found: string[] = [];
    const { confirmed } = this.#assumed;
    if (this.#maxQos === 0 || (confirmed && this.#assumed.qos)) {
      found.push(
        'the broker takes QoS 0 only: it acknowledges nothing, so an event that is on its way when the connection breaks may be lost',
      );
    }
    if (!this.#retains || (confirmed && this.#assumed.retain)) {
      found.push(
        'the broker keeps no retained messages: who subscribes later sees states only when they are said again, and nobody hears that this board is gone by asking later',
      );
    }
    if (Number.isFinite(this.#packetBytes) && this.#packetBytes < this.#maxPayload) {
      found.push(
        `the broker takes packets of at most ${this.#packetBytes} bytes: larger ones (pictures, discovery, info) are not published`,
      );
    }
    if (this.#subscriptions.confirmed) {
      found.push(
        'the broker closes the connection over subscriptions with QoS 1: a command that is on its way when the connection breaks is lost',
      );
    }
    if (!this.#wildcards) {
      found.push(
        'the broker has no subscriptions with wildcards: what an earlier run left behind cannot be looked for',
      );
    }
    return found;
  }

  #refused(): number {
    if (this.#now() - this.#refusedAt > FORGET_MS) this.#refusedBytes = Number.POSITIVE_INFINITY;
    return this.#refusedBytes;
  }

  /** Bytes of a PUBLISH packet (MQTT 5, 3.3). */
  #packetSize(topic: string, payload: number, qos: 0 | 1, properties: MessageProperties): number {
    const more = this.#protocol === 5 ? propertyBytes(properties) : null;
    const body =
      2 +
      Buffer.byteLength(topic) +
      (qos > 0 ? 2 : 0) +
      (more === null ? 0 : more + lengthBytes(more)) +
      payload;
    return 1 + lengthBytes(body) + body;
  }
}

function propertyBytes(properties: MessageProperties): number {
  const { messageExpiryInterval, contentType, correlationData, userProperties } = properties;
  let bytes = messageExpiryInterval === undefined ? 0 : 5;
  if (contentType !== undefined) bytes += 3 + Buffer.byteLength(contentType);
  if (correlationData !== undefined) bytes += 3 + correlationData.length;
  for (const [name, value] of Object.entries(userProperties ?? {})) {
    bytes += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

/** Bytes of a variable byte integer (1.5.5). */
function lengthBytes(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}
