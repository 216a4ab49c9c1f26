import { Socket } from 'node:net';
import { connect as connectClient, type IConnackPacket, type MqttClient } from 'mqtt';
import type { Timers } from '../log.js';
import type { IncomingMessage, PublishOptions } from '../message.js';
import {
  type Address,
  CONNECT_TIMEOUT_MS,
  type ConnectionOptions,
  clientOptions,
  MAX_INCOMING,
} from './client-options.js';
import { createPacketLimit } from './packet-limit.js';
import type { ProtocolVersion } from './protocol-choice.js';
import { TAKEN_OVER } from './reporter.js';
import type { Registration } from './subscriptions.js';

export interface LinkOptions {
  readonly options: ConnectionOptions;
  readonly address: Address;
  readonly protocol: ProtocolVersion;
  readonly timers: Timers;
  /** The broker has accepted us. */
  readonly onUp: (packet: IConnackPacket) => void;
  /** `ids`: whom of the subscribers this copy is for (MQTT 5); empty: all. */
  readonly onMessage: (message: IncomingMessage, ids: readonly number[]) => void;
  /** Called once, whatever ended it; `reason` is null when nobody said why. */
  readonly onDown: (reason: unknown) => void;
}

/** One connection to a broker, from the attempt to its end. */
export interface Link {
  /** Calls `done` with what the broker answered; never when the link goes down before. */
  publish(
    topic: string,
    bytes: Buffer,
    options: PublishOptions,
    done: (error: Error | null) => void,
  ): void;
  subscribe(registration: Registration, done: (error: Error | null) => void): void;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** Says goodbye, so that the will is not published; within `deadlineMs`. */
  end(deadlineMs: number): Promise<void>;
  /** Drops it without a word. */
  drop(): void;
}

const WATCHDOG_MS = CONNECT_TIMEOUT_MS + 5000;

/**
 * Dials. Every link is a fresh MQTT.js client with its own reconnecting switched off: its fixed period
 * would have no back-off, and its stores would replay what the outbox sends again anyway.
 *
 * Throws what MQTT.js throws at once: TLS material that cannot be read, an unknown scheme.
 */
export function openLink(wiring: LinkOptions): Link {
  const { options, address, protocol, timers } = wiring;
  const dial = options.connect ?? connectClient;
  const client: MqttClient = dial(address.url, clientOptions(options, address, protocol));
  const fits = createPacketLimit(MAX_INCOMING);
  let up = false;
  let down = false;
  let reason: unknown = null;
  let identifiers = false;

  function goDown(): void {
    if (down) return;
    down = true;
    timers.clearTimeout(watchdog);
    // Its listeners stay: a late error must find one, or it would be an uncaught exception.
    client.end(true);
    client.stream.destroy();
    wiring.onDown(reason);
  }

  // A socket that neither connects nor closes would end all reconnecting.
  const watchdog = timers.setTimeout(() => {
    if (!up) goDown();
  }, WATCHDOG_MS);
  // Nagle's algorithm and a broker's delayed acknowledgements together cost 40 ms a window.
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  client.stream.on('data', (chunk: Buffer) => {
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
    reason ??= error;
    if (!up) client.stream.destroy();
  });
  client.on('disconnect', (packet) => {
    if (packet.reasonCode === TAKEN_OVER) reason = { code: TAKEN_OVER };
    else reason ??= { code: packet.reasonCode };
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
      client.publish(topic, bytes, { qos, retain, ...more }, (error) => {
        // "Connection closed" has no code: the close event follows, and knows why.
        if (down || (error && !('code' in error))) return;
        done(error ?? null);
      });
    },
    subscribe({ id, filters, qos }, done) {
      const properties = identifiers ? { properties: { subscriptionIdentifier: id } } : {};
      client.subscribe([...filters], { qos, ...properties }, (error, granted) => {
        const refused = granted?.some((grant) => Number(grant.qos) >= 128) ?? false;
        done(error ?? (refused ? new Error('not authorized') : null));
      });
    },
    async unsubscribe(filters) {
      if (!down) await client.unsubscribeAsync([...filters]).catch(() => {});
    },
    async end(deadlineMs) {
      if (down) return;
      await new Promise<void>((resolve) => {
        const deadline = timers.setTimeout(() => client.end(true, () => resolve()), deadlineMs);
        client.end(!up, () => {
          timers.clearTimeout(deadline);
          resolve();
        });
      });
      goDown();
    },
    drop: goDown,
  };
}
