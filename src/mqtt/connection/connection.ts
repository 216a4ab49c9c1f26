import { codedError, isCodedError, messageOf } from '../../errors.js';
import { REAL_TIMERS, SILENT } from '../log.js';
import type { IncomingMessage, PublishOptions } from '../message.js';
import { createBackoff } from './backoff.js';
import { addressOf, type ConnectionOptions } from './client-options.js';
import { type Link, openLink } from './link.js';
import { createProtocolChoice } from './protocol-choice.js';
import { createReporter, describeFailure } from './reporter.js';
import { createSizeLimit } from './size-limit.js';
import { deliver, type Registration } from './subscriptions.js';
import { createWindow } from './window.js';

export type { IncomingMessage, MessageProperties, PublishOptions } from '../message.js';
export type { ConnectionOptions, TlsOptions } from './client-options.js';

export interface Connection {
  /** Begins to connect, and never gives up until {@link Connection.close}. */
  start(): void;
  connected(): boolean;
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

const CLOSE_TIMEOUT_MS = 1000;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
/** A connection that lasted this long was a sound one: the next retry is a quick one again. */
const SOUND_MS = 10_000;
/** QoS 1 messages under way at a time; less if the broker says so. */
const WINDOW = 32;
/** Another version of MQTT is tried at once. */
const OTHER_VERSION_MS = 50;

/**
 * One connection to a broker, kept up for ever. Sessions are clean: a command that was sent while this
 * board was away must not run an hour later.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const log = options.log ?? SILENT;
  const timers = options.timers ?? REAL_TIMERS;
  const monotonic = options.monotonic ?? (() => performance.now());
  const address = addressOf(options);
  const choice = createProtocolChoice(options.protocol ?? 'auto');
  const backoff = createBackoff({ random: options.random ?? Math.random });
  const reporter = createReporter({
    log,
    monotonic,
    broker: address.shown,
    named: address.username !== null,
  });
  const sizes = createSizeLimit(options.maxPayload ?? DEFAULT_MAX_PAYLOAD, monotonic);
  const window = createWindow(WINDOW);
  const registrations = new Set<Registration>();
  const unanswered = new Set<(error: Error) => void>();
  const onConnect: (() => void)[] = [];
  const onDisconnect: (() => void)[] = [];

  let link: Link | null = null;
  let up = false;
  let closed = false;
  let retry: unknown = null;
  let connectedAt = 0;
  let nextId = 1;

  function attempt(): void {
    retry = null;
    try {
      const made: Link = openLink({
        options,
        address,
        protocol: choice.current(),
        timers,
        onUp({ properties }) {
          if (closed || made !== link) return;
          up = true;
          connectedAt = monotonic();
          choice.connected();
          sizes.setServerLimit(properties?.maximumPacketSize);
          window.reset(Math.min(WINDOW, properties?.receiveMaximum ?? WINDOW));
          reporter.connected();
          for (const registration of registrations) void resubscribe(made, registration);
          for (const listener of onConnect) listener();
        },
        onMessage: (message, ids) => deliver(registrations, message, ids, log),
        onDown: (reason) => {
          if (made === link) lost(reason);
        },
      });
      link = made;
    } catch (error) {
      // TLS material that cannot be read, for instance: reported, and tried again.
      lost(error);
    }
  }

  function lost(reason: unknown): void {
    link = null;
    const wasUp = up;
    up = false;
    const failure = unavailable(describeFailure(reason));
    for (const reject of unanswered) reject(failure);
    unanswered.clear();
    if (wasUp) for (const listener of onDisconnect) listener();
    if (closed) return;
    if (choice.failed(reason)) {
      retry = timers.setTimeout(attempt, OTHER_VERSION_MS);
      return;
    }
    const lasted = wasUp ? monotonic() - connectedAt : 0;
    sizes.connectionLost();
    if (lasted >= SOUND_MS) backoff.reset();
    reporter.lost({ reason, wasUp, lasted });
    retry = timers.setTimeout(attempt, backoff.next());
  }

  async function resubscribe(on: Link, registration: Registration): Promise<void> {
    try {
      await ask(on, registration);
    } catch (error) {
      if (isRefusal(error)) log.warn({ filters: registration.filters }, messageOf(error));
    }
  }

  function ask(on: Link, registration: Registration): Promise<void> {
    return answered((settle) =>
      on.subscribe(registration, (error) =>
        settle(error === null ? null : refusal('a subscription', error)),
      ),
    );
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
    on: Link,
    topic: string,
    bytes: Buffer,
    how: PublishOptions,
    settle: (error: Error | null) => void,
  ): void {
    const acknowledged = sizes.sending(bytes.length);
    on.publish(topic, bytes, how, (error) => {
      if (how.qos === 1) {
        acknowledged();
        window.leave();
      }
      settle(error === null ? null : refusal(topic, error));
    });
  }

  function unavailable(found: string): Error {
    return codedError('MND_MQTT_UNAVAILABLE', { subject: address.shown, found });
  }

  function refusal(subject: string, found: unknown): Error {
    return codedError('MND_MQTT_REFUSED', { subject, found: messageOf(found) });
  }

  return {
    start() {
      if (link === null && retry === null && !closed) attempt();
    },
    connected: () => up,
    publish(topic, payload, how) {
      const bytes = toBuffer(payload);
      const current = link;
      if (!up || current === null) {
        return Promise.reject(unavailable('there is no connection'));
      }
      const limit = sizes.limit();
      if (bytes.length > limit) {
        const found = `${bytes.length} bytes where this broker takes ${limit}`;
        return Promise.reject(refusal(topic, found));
      }
      return answered((settle) => {
        const send = () => transmit(current, topic, bytes, how, settle);
        if (how.qos === 0) send();
        else if (!window.enter(send)) settle(unavailable('too many messages are under way'));
      });
    },
    async subscribe(filters, handler, qos = 1) {
      const registration = { id: nextId++, filters, handler, qos };
      registrations.add(registration);
      const subscription = {
        async close() {
          registrations.delete(registration);
          if (up) await link?.unsubscribe(filters);
        },
      };
      if (!up || link === null) return subscription;
      try {
        await ask(link, registration);
      } catch (error) {
        // One that was only cut off is asked for again with the next connection.
        if (!isRefusal(error)) return subscription;
        registrations.delete(registration);
        throw error;
      }
      return subscription;
    },
    onConnect: (listener) => void onConnect.push(listener),
    onDisconnect: (listener) => void onDisconnect.push(listener),
    async close() {
      closed = true;
      if (retry !== null) timers.clearTimeout(retry);
      await link?.end(CLOSE_TIMEOUT_MS);
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
