import { Socket } from 'node:net';
import { connect as connectClient, type MqttClient } from 'mqtt';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { createBackoff } from './backoff.js';
import {
  addressOf,
  CONNECT_TIMEOUT_MS,
  type ConnectionOptions,
  clientOptions,
  MAX_INCOMING,
} from './client-options.js';
import { REAL_TIMERS, SILENT } from './log.js';
import { createPacketLimit } from './packet-limit.js';
import { createReporter, describeFailure, TAKEN_OVER } from './reporter.js';
import { createSizeLimit } from './size-limit.js';
import { deliver, type Registration } from './subscriptions.js';
import { createWindow } from './window.js';

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

export type { ConnectionOptions, TlsOptions } from './client-options.js';

/** A message that arrived. */
export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** True for a stored message that was there before we subscribed. */
  readonly retain: boolean;
  /** MQTT 5 only: where an answer is wanted, and what it is to carry. */
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
}

export interface Connection {
  /** Begins to connect, and never gives up until {@link Connection.close}. */
  start(): void;
  connected(): boolean;
  /** 4 or 5. */
  readonly protocol: 4 | 5;
  /**
   * Resolves when the broker has acknowledged the message (QoS 1) or the socket has taken it
   * (QoS 0). Rejects with MND_MQTT_UNAVAILABLE when there is no connection or it is lost meanwhile,
   * with MND_MQTT_REFUSED when this broker will never take the message. Nothing is queued here.
   */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions): Promise<void>;
  /**
   * Calls `handler` for what arrives on the filters, over all reconnects. Resolves when the broker
   * has answered, or at once while there is no connection; rejects with MND_MQTT_REFUSED.
   */
  subscribe(
    filters: readonly string[],
    handler: (message: IncomingMessage) => void,
    qos?: 0 | 1,
  ): Promise<Subscription>;
  /** Calls `listener` after every successful connect, when subscriptions have been asked for again. */
  onConnect(listener: () => void): void;
  onDisconnect(listener: () => void): void;
  /** Disconnects properly (the will is not published) within about a second. */
  close(): Promise<void>;
}

export interface Subscription {
  close(): Promise<void>;
}

const WATCHDOG_MS = CONNECT_TIMEOUT_MS + 5000;
const CLOSE_TIMEOUT_MS = 1000;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
/** A connection that lasted this long was a sound one: the next retry is a quick one again. */
const SOUND_MS = 10_000;
/** QoS 1 messages under way at a time; less if the broker says so. */
const WINDOW = 32;

/**
 * One connection to a broker, kept up for ever.
 *
 * Every attempt is a fresh MQTT.js client with its own reconnecting switched off: its fixed period
 * would have no back-off, and its stores would replay what the outbox sends again anyway. Sessions
 * are clean: a command that was sent while this board was away must not run an hour later.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const log = options.log ?? SILENT;
  const timers = options.timers ?? REAL_TIMERS;
  const monotonic = options.monotonic ?? (() => performance.now());
  const protocol = options.protocol ?? 4;
  const address = addressOf(options);
  const backoff = createBackoff({ random: options.random ?? Math.random });
  const reporter = createReporter({ log, monotonic, broker: address.shown });
  const sizes = createSizeLimit(options.maxPayload ?? DEFAULT_MAX_PAYLOAD, monotonic);
  const window = createWindow(WINDOW);
  const registrations = new Set<Registration>();
  const unanswered = new Set<(error: Error) => void>();
  const onConnect: (() => void)[] = [];
  const onDisconnect: (() => void)[] = [];

  let client: MqttClient | null = null;
  let up = false;
  let closed = false;
  let retry: unknown = null;
  let watchdog: unknown = null;
  let connectedAt = 0;
  let reason: unknown = null;

  function attempt(): void {
    retry = null;
    reason = null;
    try {
      const made = (options.connect ?? connectClient)(address.url, clientOptions(options, address));
      client = made;
      attach(made);
    } catch (error) {
      // TLS material that cannot be read, an unknown scheme: reported, and tried again.
      reason = error;
      lost(client);
    }
  }

  function attach(made: MqttClient): void {
    const fits = createPacketLimit(MAX_INCOMING);
    // A socket that neither connects nor closes would end all reconnecting.
    watchdog = timers.setTimeout(() => {
      if (!up) lost(made);
    }, WATCHDOG_MS);
    // Nagle's algorithm and a broker's delayed acknowledgements together cost 40 ms a window.
    if (made.stream instanceof Socket) made.stream.setNoDelay(true);
    made.stream.on('data', (chunk: Buffer) => {
      if (fits(chunk)) return;
      reason = new Error(`a message of more than ${MAX_INCOMING} bytes arrived`);
      made.stream.destroy();
    });
    made.on('connect', (packet) => {
      if (made !== client || closed) return;
      up = true;
      connectedAt = monotonic();
      sizes.setServerLimit(packet.properties?.maximumPacketSize);
      window.reset(Math.min(WINDOW, packet.properties?.receiveMaximum ?? WINDOW));
      reporter.connected();
      resubscribe(made);
      notify(onConnect);
    });
    made.on('error', (error) => {
      if (made !== client) return;
      reason ??= error;
      if (!up) made.stream.destroy();
    });
    made.on('disconnect', (packet) => {
      if (made !== client) return;
      if (packet.reasonCode === TAKEN_OVER) reason = { code: TAKEN_OVER };
      else reason ??= { code: packet.reasonCode };
    });
    made.on('message', (topic, payload, packet) => {
      if (made !== client) return;
      const { retain, properties } = packet;
      const message = {
        topic,
        payload,
        retain,
        ...(properties?.responseTopic && { responseTopic: properties.responseTopic }),
        ...(properties?.correlationData && { correlationData: properties.correlationData }),
      };
      deliver(registrations, message, log);
    });
    made.on('close', () => lost(made));
  }

  function lost(from: MqttClient | null): void {
    if (from !== client) return;
    client = null;
    const wasUp = up;
    up = false;
    timers.clearTimeout(watchdog);
    // Its listeners stay: a late error must find one, or it would be an uncaught exception.
    from?.end(true);
    from?.stream.destroy();
    const failure = unavailable(describeFailure(reason));
    for (const reject of unanswered) reject(failure);
    unanswered.clear();
    if (wasUp) notify(onDisconnect);
    if (closed) return;
    const lasted = wasUp ? monotonic() - connectedAt : 0;
    sizes.connectionLost();
    if (lasted >= SOUND_MS) backoff.reset();
    reporter.lost({ reason, wasUp, lasted });
    retry = timers.setTimeout(attempt, backoff.next());
  }

  function notify(listeners: readonly (() => void)[]): void {
    for (const listener of listeners) listener();
  }

  function resubscribe(made: MqttClient): void {
    for (const registration of registrations) {
      ask(made, registration).catch((error) => {
        if (isRefusal(error)) log.warn({ filters: registration.filters }, messageOf(error));
      });
    }
  }

  function ask(made: MqttClient, { filters, qos }: Registration): Promise<void> {
    return answered((settle) => {
      made.subscribe([...filters], { qos }, (error, granted) => {
        const refused = granted?.filter((grant) => Number(grant.qos) >= 128) ?? [];
        if (error === null && refused.length === 0) settle(null);
        else settle(refusal('a subscription', error ?? 'not authorized'));
      });
    });
  }

  /** A promise that is rejected when the connection is lost before `begin` has settled it. */
  function answered(begin: (settle: (error: Error | null) => void) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      unanswered.add(reject);
      begin((error) => {
        if (!unanswered.delete(reject)) return;
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  function transmit(
    on: MqttClient,
    topic: string,
    bytes: Buffer,
    { qos, retain, properties }: PublishOptions,
    settle: (error: Error | null) => void,
  ): void {
    const acknowledged = sizes.sending(bytes.length);
    const more = protocol === 5 && properties ? { properties: { ...properties } } : {};
    on.publish(topic, bytes, { qos, retain, ...more }, (error) => {
      // What a lost connection still answers is about a window that is no more.
      if (on !== client) return;
      // "Connection closed": the close event follows, and knows why.
      if (error && !('code' in error)) return;
      if (qos === 1) {
        acknowledged();
        window.leave();
      }
      settle(error ? refusal(topic, error) : null);
    });
  }

  function unavailable(found: string): Error {
    return codedError('MND_MQTT_UNAVAILABLE', { subject: address.shown, found });
  }

  function refusal(subject: string, found: unknown): Error {
    return codedError('MND_MQTT_REFUSED', { subject, found: messageOf(found) });
  }

  return {
    protocol,
    start() {
      if (client === null && retry === null && !closed) attempt();
    },
    connected: () => up,
    publish(topic, payload, options) {
      const bytes = toBuffer(payload);
      const current = client;
      if (!up || current === null) {
        return Promise.reject(unavailable('there is no connection'));
      }
      const limit = sizes.limit();
      if (bytes.length > limit) {
        const found = `${bytes.length} bytes where this broker takes ${limit}`;
        return Promise.reject(refusal(topic, found));
      }
      return answered((settle) => {
        const send = () => transmit(current, topic, bytes, options, settle);
        if (options.qos === 0) send();
        else if (!window.enter(send)) settle(unavailable('too many messages are under way'));
      });
    },
    async subscribe(filters, handler, qos = 1) {
      const registration = { filters, handler, qos };
      registrations.add(registration);
      const subscription = {
        async close() {
          registrations.delete(registration);
          if (up && client !== null) await client.unsubscribeAsync([...filters]).catch(() => {});
        },
      };
      if (up && client !== null) {
        try {
          await ask(client, registration);
        } catch (error) {
          // One that was only cut off is asked for again with the next connection.
          if (!isRefusal(error)) return subscription;
          registrations.delete(registration);
          throw error;
        }
      }
      return subscription;
    },
    onConnect: (listener) => void onConnect.push(listener),
    onDisconnect: (listener) => void onDisconnect.push(listener),
    async close() {
      closed = true;
      if (retry !== null) timers.clearTimeout(retry);
      const last = client;
      if (last === null) return;
      await new Promise<void>((resolve) => {
        const deadline = timers.setTimeout(() => last.end(true, () => resolve()), CLOSE_TIMEOUT_MS);
        last.end(!up, () => {
          timers.clearTimeout(deadline);
          resolve();
        });
      });
      if (client !== null) lost(last);
    },
  };
}

/** True for what the broker answered, false for what a lost connection did. */
function isRefusal(error: unknown): boolean {
  return isCodedError(error) && error.code === 'MND_MQTT_REFUSED';
}

function toBuffer(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload);
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
