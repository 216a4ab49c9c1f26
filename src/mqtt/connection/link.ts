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
  const { options, attempt, clock } = wiring;
  const { protocol } = attempt;
  const dial = options.connect ?? connectClient;
  const client: MqttClient = dial(attempt.address.url, clientOptions(options, attempt));
  let up = false;
  let down = false;
  let reason: unknown = null;
  let identifiers = false;
  /** Whom an acknowledgement is for, by packet identifier, and when it was asked for. */
  const unanswered = new Map<number, { readonly done: Answer; readonly at: number }>();
  /** An acknowledgement with a code that the parser does not read. */
  let unreadable: { readonly id: number; readonly code: number } | null = null;
  const pings: (() => void)[] = [];

  function goDown(): void {
    if (down) return;
    down = true;
    cancelWatchdog();
    cancelPatience();
    // Its listeners stay: a late error must find one, or it would be an uncaught exception.
    client.end(true);
    client.stream.destroy();
    wiring.onDown(reason);
  }

  const fits = createPacketLimit(MAX_INCOMING, (type, [high = 0, low = 0, code = 0]) => {
    if (type !== PUBACK || isReadablePuback(code)) return;
    unreadable ??= { id: high * 256 + low, code };
  });

  // A socket that neither connects nor closes would end all reconnecting.
  const cancelWatchdog = clock.setTimer(() => {
    if (!up) goDown();
  }, attempt.timeoutMs + WATCHDOG_MS);
  /** A link that lives and a message that is never acknowledged: it is taken to be refused. */
  const loseUnanswered = (): void => {
    cancelPatience = clock.setTimer(loseUnanswered, patienceMs / 4);
    for (const [id, { done, at }] of unanswered) {
      if (clock.now() - at < patienceMs) break;
      unanswered.delete(id);
      done({ code: UNANSWERED });
    }
  };
  const patienceMs = Math.max(PATIENCE_MS, 2000 * (options.keepalive ?? 0));
  let cancelPatience = clock.setTimer(loseUnanswered, patienceMs / 4);

  // Nagle's algorithm and a broker's delayed acknowledgements together cost 40 ms a window.
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  // Before MQTT.js itself: what its parser stops at must be known when it says so.
  client.stream.prependListener('data', (chunk: Buffer) => {
    if (fits(chunk)) return;
    reason = new Error(`a message of more than ${MAX_INCOMING} bytes arrived`);
    client.stream.destroy();
  });
  client.on('connect', (packet) => {
    if (down) return;
    up = true;
    identifiers = protocol === 5 && packet.properties?.subscriptionIdentifiersAvailable !== false;
    wiring.onUp(packet);
  });
  client.on('error', (error) => {
    if (down) return;
    if (up && unreadable !== null) {
      const { id, code } = unreadable;
      unreadable = null;
      reason ??= new UnreadableAnswer(
        `an answer that MQTT does not foresee: ${describeCode(code)}`,
      );
      unanswered.get(id)?.done({ code });
    }
    reason ??= up && !('code' in error) ? new UnreadableAnswer(error.message) : error;
    // Whatever it was, the parser may have stopped: a connection that hears nothing is none.
    client.stream.destroy();
  });
  client.on('disconnect', (packet) => {
    if (packet.reasonCode === TAKEN_OVER) reason = { code: TAKEN_OVER };
    else reason ??= { code: packet.reasonCode };
  });
  client.on('packetreceive', ({ cmd }) => {
    if (cmd === 'pingresp') for (const done of pings.splice(0)) done();
  });
  client.on('message', (topic, payload, { retain, properties }) => {
    if (down) return;
    const { correlationData, subscriptionIdentifier: ids = [] } = properties ?? {};
    wiring.onMessage(
      { topic, payload, retain, ...(correlationData && { correlationData }) },
      typeof ids === 'number' ? [ids] : ids,
    );
  });
  client.on('close', goDown);

  return {
    publish(topic, bytes, { qos, retain, properties }, done) {
      const more = protocol === 5 && properties ? { properties: { ...properties } } : {};
      let id = 0;
      client.publish(topic, bytes, { qos, retain, ...more }, (error) => {
        if (qos === 1 && !unanswered.delete(id)) return;
        // "Connection closed" has no code: the close event follows, and knows why.
        if (down || (error && !('code' in error))) return;
        done(error ?? null);
      });
      if (qos === 0) return;
      id = client.getLastMessageId();
      unanswered.set(id, { done, at: clock.now() });
    },
    subscribe({ id, qos }, filters, done) {
      const properties = identifiers ? { properties: { subscriptionIdentifier: id } } : {};
      client.subscribe([...filters], { qos, ...properties }, (error, granted) => {
        if (down) return;
        const codes = error === null ? granted?.map((grant) => Number(grant.qos)) : codesOf(error);
        const refused = codes?.find((code) => code >= 128);
        if (refused !== undefined) done({ code: refused });
        else if (error === null) done(null);
      });
    },
    async unsubscribe(filters) {
      if (!down) await client.unsubscribeAsync([...filters]).catch(() => {});
    },
    ping(done) {
      if (down) return;
      pings.push(done);
      client.sendPing();
    },
    async end(deadlineMs) {
      if (down) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.setTimer(() => client.end(true, () => resolve()), deadlineMs);
        client.end(!up, () => {
          cancel();
          resolve();
        });
      });
      goDown();
    },
    drop(why = null) {
      reason ??= why;
      goDown();
    },
  };
}

/** Reason codes of the answer to a subscription, of MQTT.js's error about it. */
function codesOf(error: Error): readonly number[] | undefined {
  const packet: unknown = 'packet' in error ? error.packet : undefined;
  if (typeof packet !== 'object' || packet === null || !('granted' in packet)) return undefined;
  return Array.isArray(packet.granted) ? packet.granted.map(Number) : undefined;
}
