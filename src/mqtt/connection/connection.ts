import { messageOf } from '../../errors.js';
import { type Log, SILENT } from '../../log.js';
import { type Backoff, backgroundClock, type Clock, createBackoff } from '../../time.js';
import type { IncomingMessage, PublishOptions } from '../message.js';
import { BrokerAddresses } from './addresses.js';
import { BrokerLimits } from './broker-limits.js';
import type { Address, ConnectionOptions } from './client-options.js';
import { type HeldTopic, Holds } from './holds.js';
import { type Link, openLink, UnreadableAnswer } from './link.js';
import { describeFailure, LossLog } from './loss-log.js';
import { createProtocolChoice } from './protocol-choice.js';
import { codeOf, explainsLoss, QOS_NOT_SUPPORTED, RETAIN_NOT_SUPPORTED } from './reason-codes.js';
import { isRefusal, Sender, subscriptionOf, unavailable, WINDOW } from './sender.js';
import { deliver, type Registration } from './subscriptions.js';
import { Suspects, type Underway } from './suspects.js';
import { WillChoice } from './will-choice.js';

export type { IncomingMessage, MessageProperties, PublishOptions } from '../message.js';
export type { ConnectionOptions, ResolveSrv, SrvRecord, TlsOptions } from './client-options.js';
export type { HeldTopic } from './holds.js';

export interface Connection {
  /** Begins to connect, and never gives up until {@link Connection.close}. */
  start(): void;
  connected(): boolean;
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
   * Calls `handler` for what arrives on the filters, over all reconnects. Resolves when the broker
   * has answered, or at once while there is no connection; rejects with MND_MQTT_REFUSED. `topics`:
   * the same without wildcards, for a broker that has none.
   */
  subscribe(
    filters: readonly string[],
    handler: (message: IncomingMessage) => void,
    qos?: 0 | 1,
    topics?: () => readonly string[],
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

/** How a broker is spoken to: what it does not know is found out by trying. */
interface Forms {
  readonly protocol: ReturnType<typeof createProtocolChoice>;
  readonly will: WillChoice;
}

const CLOSE_TIMEOUT_MS = 1000;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
/** A connection that lasted this long was a sound one: the next retry is a quick one again. */
const SOUND_MS = 10_000;
/** Another form of the same attempt (version of MQTT, will) is tried at once. */
const OTHER_FORM_MS = 50;
/** So soon the next broker of a list is tried, with a random part of as much. */
const NEXT_BROKER_MS = 400;
/** A payload from this size on is taken to be refused for its size. */
const LARGE_BYTES = 16 * 1024;

/**
 * One connection to a broker, kept up for ever. Sessions are clean: a command that was sent while this
 * board was away must not run an hour later. Throws MND_CONFIG_INVALID for an address that is none.
 */
export function createConnection(options: ConnectionOptions): Connection {
  return new BrokerConnection(options);
}

class BrokerConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #addresses: BrokerAddresses;
  /** By address: the brokers of a list need not be alike. */
  readonly #forms = new Map<string, Forms>();
  readonly #limits: BrokerLimits;
  readonly #suspects: Suspects;
  readonly #holds: Holds;
  readonly #sender: Sender;
  readonly #losses: LossLog;
  readonly #backoff: Backoff;
  readonly #registrations = new Set<Registration>();
  readonly #onConnect: (() => void)[] = [];
  readonly #onDisconnect: (() => void)[] = [];
  readonly #onRelease: ((topic: string | null) => void)[] = [];
  /** Limits of the broker that the log has named. */
  readonly #named = new Set<string>();
  /** Topics that the connection was lost over for their size: the next time it is the topic. */
  readonly #oversized = new Set<string>();

  #address: Address | null = null;
  /** The broker that we were let in by last. */
  #connectedTo: string | null = null;
  #link: Link | null = null;
  #up = false;
  #closed = false;
  #lookingUp = false;
  #cancelRetry: (() => void) | null = null;
  #cancelSound: (() => void) | null = null;
  #connectedAt = 0;
  #nextId = 1;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#log = options.log ?? SILENT;
    this.#clock = options.clock ?? backgroundClock;
    this.#random = options.random ?? Math.random;
    this.#addresses = new BrokerAddresses(options);
    this.#backoff = createBackoff({ random: this.#random });
    const now = () => this.#clock.now();
    this.#limits = new BrokerLimits(options.maxPayload ?? DEFAULT_MAX_PAYLOAD, now);
    this.#suspects = new Suspects(now);
    this.#losses = new LossLog(this.#log, now, this.#addresses.withUser);
    this.#holds = new Holds({
      clock: this.#clock,
      log: this.#log,
      random: this.#random,
      onRelease: (topic) => this.#released(topic),
    });
    this.#sender = new Sender(this.#limits, this.#suspects, this.#holds);
  }

  start(): void {
    const begun = this.#link !== null || this.#cancelRetry !== null || this.#lookingUp;
    if (!begun && !this.#closed) this.#attempt();
  }

  connected(): boolean {
    return this.#up;
  }

  broker(): string {
    return this.#address?.shown ?? this.#addresses.shown;
  }

  held(): HeldTopic[] {
    return this.#holds.list();
  }

  limits(): string[] {
    return this.#up ? this.#limits.broken() : [];
  }

  onConnect(listener: () => void): void {
    this.#onConnect.push(listener);
  }

  onDisconnect(listener: () => void): void {
    this.#onDisconnect.push(listener);
  }

  onRelease(listener: (topic: string | null) => void): void {
    this.#onRelease.push(listener);
  }

  publish(topic: string, payload: string | Uint8Array, how: PublishOptions): Promise<void> {
    return this.#sender.publish(topic, toBuffer(payload), how, this.broker());
  }

  async subscribe(
    filters: readonly string[],
    handler: (message: IncomingMessage) => void,
    qos: 0 | 1 = 1,
    topics?: () => readonly string[],
  ): Promise<Subscription> {
    const registration = { id: this.#nextId++, filters, handler, qos, ...(topics && { topics }) };
    this.#registrations.add(registration);
    const subscription = {
      close: async () => {
        this.#registrations.delete(registration);
        if (this.#up) await this.#link?.unsubscribe(this.#sender.filtersOf(registration));
      },
    };
    if (!this.#up) return subscription;
    try {
      await this.#sender.subscribe(registration);
    } catch (error) {
      // One that was only cut off is asked for again with the next connection.
      if (!isRefusal(error)) return subscription;
      this.#registrations.delete(registration);
      throw error;
    }
    return subscription;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#cancelSound?.();
    this.#holds.close();
    await this.#link?.end(CLOSE_TIMEOUT_MS);
  }

  #attempt(): void {
    this.#cancelRetry = null;
    const address = this.#addresses.current();
    if (!(address instanceof Promise)) {
      this.#dial(address);
      return;
    }
    this.#lookingUp = true;
    address.then(
      (found) => {
        this.#lookingUp = false;
        if (!this.#closed) this.#dial(found);
      },
      (error) => {
        this.#lookingUp = false;
        this.#lost(error);
      },
    );
  }

  #dial(address: Address): void {
    this.#address = address;
    const form = this.#form();
    const protocol = form.protocol.current();
    const { timeoutMs } = this.#addresses;
    try {
      const link: Link = openLink({
        options: this.#options,
        attempt: { address, protocol, will: form.will.current(), timeoutMs },
        clock: this.#clock,
        onUp: (packet) => {
          if (this.#closed || link !== this.#link) return;
          this.#limits.connected(packet, protocol);
          this.#begin(link, address, packet.properties?.receiveMaximum ?? WINDOW);
        },
        onMessage: (message, ids) => deliver(this.#registrations, message, ids, this.#log),
        onDown: (reason) => {
          if (link === this.#link) this.#lost(reason);
        },
      });
      this.#link = link;
    } catch (error) {
      // TLS material that cannot be read, for instance: reported, and tried again.
      this.#lost(error);
    }
  }

  /** How the broker whose turn it is wants to be spoken to. */
  #form(): Forms {
    const broker = this.broker();
    const known = this.#forms.get(broker);
    if (known !== undefined) return known;
    // Names of a cluster's nodes may change for ever.
    if (this.#forms.size > 64) this.#forms.clear();
    const protocol = createProtocolChoice(this.#options.protocol ?? 'auto');
    const made = { protocol, will: new WillChoice() };
    this.#forms.set(broker, made);
    return made;
  }

  /** The broker has accepted us. */
  #begin(link: Link, address: Address, receiveMaximum: number): void {
    const { protocol, will } = this.#form();
    protocol.connected();
    if (!will.connected()) {
      // A lesser will has worked; whether it is needed is seen by trying the full one once more.
      link.drop();
      return;
    }
    // What another broker lacked says nothing of this one.
    if (this.#connectedTo !== address.shown) this.#limits.forget();
    this.#connectedTo = address.shown;
    if (this.#options.will !== undefined) this.#limits.assumeWill(will.current());
    this.#up = true;
    this.#connectedAt = this.#clock.now();
    const window = Math.min(WINDOW, receiveMaximum);
    this.#sender.open(link, window);
    this.#awaitSoundness(window);
    this.#losses.connected(address.shown);
    this.#nameLimits();
    this.#holds.reconnected();
    for (const registration of this.#registrations) void this.#resubscribe(registration);
    for (const listener of this.#onConnect) listener();
  }

  /** Care ends when the connection has lasted and everything was answered. */
  #awaitSoundness(window: number): void {
    this.#cancelSound = this.#clock.setTimer(() => {
      this.#nameLimits();
      if (this.#suspects.sound()) this.#sender.widen(window);
      else this.#awaitSoundness(window);
    }, SOUND_MS);
  }

  #lost(reason: unknown): void {
    const wasUp = this.#up;
    this.#link = null;
    this.#up = false;
    this.#cancelSound?.();
    this.#cancelSound = null;
    this.#sender.close(unavailable(this.broker(), describeFailure(reason, wasUp)));
    if (wasUp) for (const listener of this.#onDisconnect) listener();
    if (this.#closed) return;
    if (!wasUp && this.#tryOtherForm(reason)) this.#retryAfter(OTHER_FORM_MS);
    else this.#judge(reason, wasUp ? this.#clock.now() - this.#connectedAt : null);
  }

  /** Draws the conclusions of a loss; `lasted` is null when there was no connection yet. */
  #judge(reason: unknown, lasted: number | null): void {
    const sound = lasted !== null && lasted >= SOUND_MS;
    const unreadable = reason instanceof UnreadableAnswer;
    const explained = unreadable || explainsLoss(codeOf(reason));
    const { culprit, suspected } = lasted === null ? NOBODY : this.#suspects.lost(explained);
    if (sound) this.#limits.forget();
    if (sound) this.#form().will.forget();
    this.#losses.lost({
      reason,
      wasUp: lasted !== null,
      lasted: lasted ?? 0,
      broker: this.broker(),
      suspected: suspected || explained,
    });
    if (culprit !== null) this.#convict(culprit);
    // The reason is known, and what was wrong is not sent again: no need for patience.
    if (sound || culprit !== null || unreadable) this.#backoff.reset();
    this.#retryAfter(this.#wait(suspected || unreadable));
  }

  /** Milliseconds until the next attempt. `stay`: with the same broker, which is not at fault. */
  #wait(stay: boolean): number {
    if (stay) return this.#backoff.next();
    // The others of a list have their turn at once; only when all have had it the wait grows.
    return this.#addresses.advance() ? this.#backoff.next() : NEXT_BROKER_MS * (1 + this.#random());
  }

  /** Whether the broker may take another form of the same attempt, which is then tried at once. */
  #tryOtherForm(reason: unknown): boolean {
    const code = codeOf(reason);
    const { protocol, will } = this.#form();
    if (code === RETAIN_NOT_SUPPORTED) return will.refused('retain');
    if (code === QOS_NOT_SUPPORTED) return will.refused('qos');
    const version = protocol.current();
    if (protocol.failed(reason)) return true;
    const wordless = reason === null || code === 'ECONNRESET' || code === 'EPIPE';
    if (version === 4 && wordless && this.#options.will !== undefined) will.failed();
    return false;
  }

  #retryAfter(ms: number): void {
    this.#cancelRetry = this.#clock.setTimer(() => this.#attempt(), ms);
  }

  /** The broker closes the connection over this. */
  #convict({ subject, bytes, qos, retain, kind }: Underway): void {
    // One topic is a rule about it; a second one, and no message ever taken, is something else.
    if (kind === 'message' && this.#holds.costly && this.#limits.concede({ qos, retain })) {
      this.#holds.clear();
      return;
    }
    if (bytes >= LARGE_BYTES && !this.#oversized.has(subject)) {
      this.#oversized.add(subject);
      this.#limits.refusedSize(bytes);
      this.#log.warn(
        { code: 'MND_MQTT_REFUSED', topic: subject },
        `${subject}: the broker closes the connection over its ${bytes} bytes; nothing of this size is sent for an hour`,
      );
      return;
    }
    // It is the topic after all: what was concluded about sizes from it is not so.
    if (this.#oversized.has(subject)) this.#limits.forgetSize();
    const reason = 'the broker closes the connection over it';
    this.#holds.hold(subject, reason, { costly: true, bytes });
  }

  /** A topic may be tried again: those who publish hear it, a subscription is asked for here. */
  #released(topic: string | null): void {
    for (const registration of this.#registrations) {
      if (subscriptionOf(registration) === topic) void this.#resubscribe(registration);
    }
    for (const listener of this.#onRelease) listener(topic);
  }

  #nameLimits(): void {
    for (const limit of this.#limits.broken()) {
      if (this.#named.has(limit)) continue;
      this.#named.add(limit);
      this.#log.warn({ broker: this.broker() }, limit);
    }
  }

  async #resubscribe(registration: Registration): Promise<void> {
    try {
      await this.#sender.subscribe(registration);
    } catch (error) {
      if (!isRefusal(error)) return;
      this.#log.warn({ filters: registration.filters }, messageOf(error));
    }
  }
}

const NOBODY = { culprit: null, suspected: false } as const;

function toBuffer(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload);
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
