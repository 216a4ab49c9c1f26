import { type Log, SILENT } from '../../log.js';
import { type Backoff, backgroundClock, type Clock, createBackoff } from '../../time.js';
import type { IncomingMessage, PublishOptions } from '../message.js';
import { BrokerAddresses } from './addresses.js';
import { type BrokerForm, BrokerForms } from './broker-form.js';
import { BrokerLimits } from './broker-limits.js';
import type { Address, ConnectionOptions } from './client-options.js';
import type { Connection, Subscription } from './contract.js';
import { type HeldTopic, Holds } from './holds.js';
import { type Link, openLink, UnreadableAnswer } from './link.js';
import { describeFailure, LossLog } from './loss-log.js';
import { codeOf, explainsLoss } from './reason-codes.js';
import { Sender, unavailable, WINDOW } from './sender.js';
import { Subscriber } from './subscriber.js';
import { Suspects } from './suspects.js';
import { Verdicts } from './verdicts.js';

export type { IncomingMessage, MessageProperties, PublishOptions } from '../message.js';
export type { ConnectionOptions, ResolveSrv, SrvRecord, TlsOptions } from './client-options.js';
export type { Connection, Subscription } from './contract.js';
export type { HeldTopic } from './holds.js';

const CLOSE_TIMEOUT_MS = 1000;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
/** A connection that lasted this long was a sound one: the next retry is a quick one again. */
const SOUND_MS = 10_000;
/** Another form of the same attempt (version of MQTT, will) is tried at once. */
const OTHER_FORM_MS = 50;
/** So soon the next broker of a list is tried, with a random part of as much. */
const NEXT_BROKER_MS = 400;

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
  readonly #forms: BrokerForms;
  readonly #limits: BrokerLimits;
  readonly #suspects: Suspects;
  readonly #holds: Holds;
  readonly #verdicts: Verdicts;
  readonly #sender: Sender;
  readonly #subscriber: Subscriber;
  readonly #losses: LossLog;
  readonly #backoff: Backoff;
  readonly #onConnect: (() => void)[] = [];
  readonly #onDisconnect: (() => void)[] = [];
  readonly #onRelease: ((topic: string | null) => void)[] = [];
  /** Limits of the broker that the log has named. */
  readonly #named = new Set<string>();

  #address: Address | null = null;
  /** The broker that we were let in by last. */
  #connectedTo: string | null = null;
  #link: Link | null = null;
  #up = false;
  #fault: string | null = null;
  #closed = false;
  #lookingUp = false;
  #cancelRetry: (() => void) | null = null;
  #cancelSound: (() => void) | null = null;
  #connectedAt = 0;
  /** The last connection was a sound one. */
  #afresh = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#log = options.log ?? SILENT;
    this.#clock = options.clock ?? backgroundClock;
    this.#random = options.random ?? Math.random;
    this.#addresses = new BrokerAddresses(options);
    this.#forms = new BrokerForms({
      protocol: options.protocol ?? 'auto',
      hasWill: options.will !== undefined,
    });
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
    this.#verdicts = new Verdicts(this.#limits, this.#holds, this.#log);
    this.#sender = new Sender(this.#limits, this.#suspects, this.#holds);
    this.#subscriber = new Subscriber(this.#sender, this.#log);
  }

  start(): void {
    const begun = this.#link !== null || this.#cancelRetry !== null || this.#lookingUp;
    if (!begun && !this.#closed) this.#attempt();
  }

  connected(): boolean {
    return this.#up;
  }

  fault(): string | null {
    return this.#fault;
  }

  broker(): string {
    return this.#address?.redacted ?? this.#addresses.redacted;
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

  listen(
    filters: readonly string[],
    handler: (message: IncomingMessage) => void,
    topics?: () => readonly string[],
  ): Subscription {
    return this.#subscriber.listen({ filters, handler, qos: 1, ...(topics && { topics }) });
  }

  subscribe(
    filters: readonly string[],
    handler: (message: IncomingMessage) => void,
    qos: 0 | 1 = 1,
  ): Promise<Subscription> {
    return this.#subscriber.look({ filters, handler, qos });
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
    const { protocol, will } = this.#form().current();
    const { timeoutMs } = this.#addresses;
    try {
      const link: Link = openLink({
        options: this.#options,
        attempt: { address, protocol, will, timeoutMs },
        clock: this.#clock,
        onUp: (packet) => {
          if (this.#closed || link !== this.#link) return;
          this.#limits.connected(packet, protocol);
          this.#begin(link, address, packet.properties?.receiveMaximum ?? WINDOW);
        },
        onMessage: (message, ids) => this.#subscriber.deliver(message, ids),
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
  #form(): BrokerForm {
    return this.#forms.of(this.broker());
  }

  /** The broker has accepted us. */
  #begin(link: Link, address: Address, receiveMaximum: number): void {
    const form = this.#form();
    if (!form.accepted()) {
      // A lesser will has worked; whether it is needed is seen by trying the full one once more. That we
      // hang up here is no failure of it.
      this.#link = null;
      link.drop();
      this.#retryAfter(OTHER_FORM_MS);
      return;
    }
    // What another broker lacked says nothing of this one.
    if (this.#connectedTo !== address.redacted) this.#limits.forget();
    this.#connectedTo = address.redacted;
    if (this.#options.will !== undefined) this.#limits.assumeWill(form.current().will);
    this.#up = true;
    this.#fault = null;
    this.#connectedAt = this.#clock.now();
    const window = Math.min(WINDOW, receiveMaximum);
    this.#sender.open(link, window);
    this.#awaitSoundness(window);
    this.#losses.connected(address.redacted);
    this.#nameLimits();
    this.#holds.reconnected(this.#afresh);
    this.#afresh = false;
    this.#subscriber.open(link);
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
    this.#subscriber.close();
    this.#cancelSound?.();
    this.#cancelSound = null;
    this.#sender.close(unavailable(this.broker(), describeFailure(reason, wasUp)));
    if (wasUp) for (const listener of this.#onDisconnect) listener();
    if (this.#closed) return;
    if (!wasUp && this.#form().failed(reason) === 'at once') this.#retryAfter(OTHER_FORM_MS);
    else this.#judge(reason, wasUp ? this.#clock.now() - this.#connectedAt : null);
  }

  /** Draws the conclusions of a loss; `lasted` is null when there was no connection yet. */
  #judge(reason: unknown, lasted: number | null): void {
    const sound = lasted !== null && lasted >= SOUND_MS;
    const unreadable = reason instanceof UnreadableAnswer;
    const explained = unreadable || explainsLoss(codeOf(reason));
    const { culprit, suspected } = lasted === null ? NOBODY : this.#suspects.lost(explained);
    if (sound) this.#limits.forget();
    if (sound) this.#form().forget();
    if (sound) this.#afresh = true;
    this.#fault = this.#losses.lost({
      reason,
      wasUp: lasted !== null,
      lasted: lasted ?? 0,
      broker: this.broker(),
      suspected: suspected || explained,
    });
    if (culprit !== null) this.#verdicts.convict(culprit);
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

  #retryAfter(ms: number): void {
    this.#cancelRetry = this.#clock.setTimer(() => this.#attempt(), ms);
  }

  /** A topic may be tried again: those who publish hear it, a subscription is asked for here. */
  #released(topic: string | null): void {
    this.#subscriber.released(topic);
    for (const listener of this.#onRelease) listener(topic);
  }

  #nameLimits(): void {
    for (const limit of this.#limits.broken()) {
      if (this.#named.has(limit)) continue;
      this.#named.add(limit);
      this.#log.warn({ broker: this.broker() }, limit);
    }
  }
}

const NOBODY = { culprit: null, suspected: false } as const;

function toBuffer(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload);
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
