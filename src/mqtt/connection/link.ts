import { Socket } from 'node:net';
import { connect as connectClient, type IConnackPacket, type MqttClient } from 'mqtt';
import type { Clock } from '../../time.js';
import '../packet-numbers.js';
import type { IncomingMessage, PublishOptions } from '../message.js';
import {
  type Attempt,
  type ConnectionOptions,
  clientOptions,
  MAX_INCOMING,
} from './client-options.js';
import { createPacketLimit, PUBACK } from './packet-limit.js';
import { describeCode, isReadablePuback, TAKEN_OVER, UNANSWERED } from './reason-codes.js';
import type { Registration } from './subscriptions.js';

export interface LinkOptions {
  readonly options: Omit<ConnectionOptions, 'url'>;
  readonly attempt: Attempt;
  readonly clock: Clock;
  /** The broker has accepted us. */
  readonly onUp: (packet: IConnackPacket) => void;
  /** `ids`: whom of the subscribers this copy is for (MQTT 5); empty: all. */
  readonly onMessage: (message: IncomingMessage, ids: readonly number[]) => void;
  /** Called once, whatever ended it; `reason` is null when nobody said why. */
  readonly onDown: (reason: unknown) => void;
}

/** How the broker answered: null when it agrees, else an error with its reason code where it has one. */
export type Answer = (error: unknown) => void;

/** One connection to a broker, from the attempt to its end. */
export interface Link {
  /** Calls `done` with what the broker answered; never when the link goes down before. */
  publish(topic: string, bytes: Buffer, options: PublishOptions, done: Answer): void;
  subscribe(
    registration: Pick<Registration, 'id' | 'qos'>,
    filters: readonly string[],
    done: Answer,
  ): void;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** Calls `done` when the broker has answered a ping: it has then read all that was sent before. */
  ping(done: () => void): void;
  /** Says goodbye, so that the will is not published; within `deadlineMs`. */
  end(deadlineMs: number): Promise<void>;
  /** Drops it without a word; `why` is what is reported. */
  drop(why?: unknown): void;
}

const WATCHDOG_MS = 5000;
/** By then the keepalive has ended a link that is dead. */
const PATIENCE_MS = 60_000;

/**
 * The end of a link over an answer that MQTT.js's parser does not read: it stops for good, and the link
 * would count as connected until the keepalive runs out.
 */
export class UnreadableAnswer extends Error {}

/**
 * Dials. Every link is a fresh MQTT.js client with its own reconnecting switched off: its fixed period
 * would have no back-off, and its stores would replay what the outbox sends again anyway.
 *
 * Throws what MQTT.js throws at once: TLS material that cannot be read, an unknown scheme.
 */
export function openLink(wiring: LinkOptions): Link {
  return new ClientLink(wiring);
}

class ClientLink implements Link {
  readonly #wiring: LinkOptions;
  readonly #client: MqttClient;
  readonly #unanswered: Unanswered;
  readonly #cancelWatchdog: () => void;
  readonly #pings: (() => void)[] = [];
  #up = false;
  #down = false;
  /** Why it went down, or will. */
  #reason: unknown = null;
  /** The broker says for whom of the subscribers a message is. */
  #identifiers = false;
  /** An acknowledgement with a code that the parser does not read. */
  #unreadable: { readonly id: number; readonly code: number } | null = null;

  constructor(wiring: LinkOptions) {
    const { options, attempt, clock } = wiring;
    this.#wiring = wiring;
    const dial = options.connect ?? connectClient;
    this.#client = dial(attempt.address.url, clientOptions(options, attempt));
    // A socket that neither connects nor closes would end all reconnecting.
    this.#cancelWatchdog = clock.setTimer(() => {
      if (!this.#up) this.#goDown();
    }, attempt.timeoutMs + WATCHDOG_MS);
    const patienceMs = Math.max(PATIENCE_MS, 2000 * (options.keepalive ?? 0));
    this.#unanswered = new Unanswered(clock, patienceMs);
    this.#listenToStream();
    this.#listenToClient();
  }

  publish(
    topic: string,
    bytes: Buffer,
    { qos, retain, properties }: PublishOptions,
    done: Answer,
  ): void {
    const more = this.#isFive && properties ? { properties: { ...properties } } : {};
    let id = 0;
    this.#client.publish(topic, bytes, { qos, retain, ...more }, (error) => {
      if (qos === 1 && !this.#unanswered.delete(id)) return;
      // "Connection closed" has no code: the close event follows, and knows why.
      if (this.#down || (error && !('code' in error))) return;
      done(error ?? null);
    });
    if (qos === 0) return;
    id = this.#client.getLastMessageId();
    this.#unanswered.add(id, done);
  }

  subscribe(
    { id, qos }: Pick<Registration, 'id' | 'qos'>,
    filters: readonly string[],
    done: Answer,
  ): void {
    const properties = this.#identifiers ? { properties: { subscriptionIdentifier: id } } : {};
    this.#client.subscribe([...filters], { qos, ...properties }, (error, granted) => {
      if (this.#down) return;
      const codes = error === null ? granted?.map((grant) => Number(grant.qos)) : codesOf(error);
      const refused = codes?.find((code) => code >= 128);
      if (refused !== undefined) done({ code: refused });
      else if (error === null) done(null);
    });
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    if (!this.#down) await this.#client.unsubscribeAsync([...filters]).catch(() => {});
  }

  ping(done: () => void): void {
    if (this.#down) return;
    this.#pings.push(done);
    this.#client.sendPing();
  }

  async end(deadlineMs: number): Promise<void> {
    if (this.#down) return;
    const client = this.#client;
    await new Promise<void>((resolve) => {
      const cancel = this.#wiring.clock.setTimer(
        () => client.end(true, () => resolve()),
        deadlineMs,
      );
      client.end(!this.#up, () => {
        cancel();
        resolve();
      });
    });
    this.#goDown();
  }

  drop(why: unknown = null): void {
    this.#reason ??= why;
    this.#goDown();
  }

  get #isFive(): boolean {
    return this.#wiring.attempt.protocol === 5;
  }

  #listenToStream(): void {
    const { stream } = this.#client;
    // Nagle's algorithm and a broker's delayed acknowledgements together cost 40 ms a window.
    if (stream instanceof Socket) stream.setNoDelay(true);
    const fits = createPacketLimit(MAX_INCOMING, (type, [high = 0, low = 0, code = 0]) => {
      if (type !== PUBACK || isReadablePuback(code)) return;
      this.#unreadable ??= { id: high * 256 + low, code };
    });
    // Before MQTT.js itself: what its parser stops at must be known when it says so.
    stream.prependListener('data', (chunk: Buffer) => {
      if (fits(chunk)) return;
      this.#reason = new Error(`a message of more than ${MAX_INCOMING} bytes arrived`);
      stream.destroy();
    });
  }

  #listenToClient(): void {
    const client = this.#client;
    client.on('connect', (packet) => this.#connected(packet));
    client.on('error', (error) => this.#failed(error));
    client.on('disconnect', ({ reasonCode }) => {
      if (reasonCode === TAKEN_OVER) this.#reason = { code: TAKEN_OVER };
      else this.#reason ??= { code: reasonCode };
    });
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'pingresp') for (const done of this.#pings.splice(0)) done();
    });
    client.on('message', (topic, payload, { retain, properties }) => {
      if (this.#down) return;
      const { correlationData, subscriptionIdentifier: ids = [] } = properties ?? {};
      this.#wiring.onMessage(
        { topic, payload, retain, ...(correlationData && { correlationData }) },
        typeof ids === 'number' ? [ids] : ids,
      );
    });
    client.on('close', () => this.#goDown());
  }

  #connected(packet: IConnackPacket): void {
    if (this.#down) return;
    this.#up = true;
    const { subscriptionIdentifiersAvailable: identifiers } = packet.properties ?? {};
    this.#identifiers = this.#isFive && identifiers !== false;
    this.#wiring.onUp(packet);
  }

  #failed(error: Error): void {
    if (this.#down) return;
    if (this.#up && this.#unreadable !== null) {
      const { id, code } = this.#unreadable;
      this.#unreadable = null;
      this.#reason ??= new UnreadableAnswer(
        `an answer that MQTT does not foresee: ${describeCode(code)}`,
      );
      this.#unanswered.answer(id, { code });
    }
    this.#reason ??= this.#up && !('code' in error) ? new UnreadableAnswer(error.message) : error;
    // Whatever it was, the parser may have stopped: a connection that hears nothing is none.
    this.#client.stream.destroy();
  }

  #goDown(): void {
    if (this.#down) return;
    this.#down = true;
    this.#cancelWatchdog();
    this.#unanswered.stop();
    // Its listeners stay: a late error must find one, or it would be an uncaught exception.
    this.#client.end(true);
    this.#client.stream.destroy();
    this.#wiring.onDown(this.#reason);
  }
}

/**
 * Whom an acknowledgement is for, by packet identifier. On a link that lives, a message that is not
 * acknowledged for so long is taken to be refused.
 */
class Unanswered {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  /** In the order in which they were asked for. */
  readonly #waiting = new Map<number, { readonly done: Answer; readonly at: number }>();
  #cancel: () => void;

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    this.#cancel = this.#lookLater();
  }

  add(id: number, done: Answer): void {
    this.#waiting.set(id, { done, at: this.#clock.now() });
  }

  /** Whether it was waited for. */
  delete(id: number): boolean {
    return this.#waiting.delete(id);
  }

  answer(id: number, error: unknown): void {
    this.#waiting.get(id)?.done(error);
  }

  stop(): void {
    this.#cancel();
  }

  #lookLater(): () => void {
    return this.#clock.setTimer(() => this.#look(), this.#patienceMs / 4);
  }

  #look(): void {
    this.#cancel = this.#lookLater();
    for (const [id, { done, at }] of this.#waiting) {
      if (this.#clock.now() - at < this.#patienceMs) break;
      this.#waiting.delete(id);
      done({ code: UNANSWERED });
    }
  }
}

/** Reason codes of the answer to a subscription, of MQTT.js's error about it. */
function codesOf(error: Error): readonly number[] | undefined {
  const packet: unknown = 'packet' in error ? error.packet : undefined;
  if (typeof packet !== 'object' || packet === null || !('granted' in packet)) return undefined;
  return Array.isArray(packet.granted) ? packet.granted.map(Number) : undefined;
}
