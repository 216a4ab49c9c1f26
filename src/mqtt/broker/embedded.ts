import { createServer, type Socket } from 'node:net';
import {
  Aedes,
  type AuthenticateError,
  type Client,
  type ConnectPacket,
  type PublishPacket,
} from 'aedes';
import { messageOf } from '../../errors.js';
import { createRepeatingLog, type Log, type RepeatingLog, SILENT } from '../../log.js';
import { backgroundClock, type Clock } from '../../time.js';
import { createPacketLimit } from '../connection/packet-limit.js';
import { Admission, CONNECT_MS, isLoopback } from './admission.js';
import { ByteBudget } from './byte-budget.js';
import { Deliveries } from './deliveries.js';
import { boundIncoming } from './incoming.js';
import '../packet-numbers.js';
import { checkExposure, hostForClients, listen } from './listening.js';
import { Logins } from './logins.js';
import { PacedConnection } from './paced-connection.js';
import { serveRetained } from './retained-lookup.js';
import { RetainedStore } from './retained-store.js';
import { Sessions } from './sessions.js';
import { SubscriptionBudget } from './subscription-budget.js';
import { Turns } from './turns.js';

export interface EmbeddedBrokerOptions {
  /** Address to listen on; anything but loopback needs `users` or `allowAnonymous`. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Password hashes (see password.ts) by user name; a client that names a user needs its password. */
  readonly users?: Readonly<Record<string, string>>;
  /** Lets anybody in who names no user, from beyond this machine too; without users that is everybody. */
  readonly allowAnonymous?: boolean;
  /** Where retained messages outlive a restart; nowhere by default. */
  readonly file?: string;
  /**
   * This board's own topics: they are not kept there, since they are said again anyway, and have room
   * when that of others is used up.
   */
  readonly ephemeral?: (topic: string) => boolean;
  /** Client id of this daemon, which is let in from this machine in any case. */
  readonly ownClientId?: string;
  readonly maxClients?: number;
  /** Bytes of the largest packet, default 1 MiB. */
  readonly maxPacket?: number;
  readonly maxRetained?: number;
  /** Bytes of all retained topics and payloads together, default 32 MiB. */
  readonly maxRetainedBytes?: number;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface EmbeddedBroker {
  /** `mqtt://host:port` for clients on this machine. */
  readonly url: string;
  readonly port: number;
  clients(): number;
  /** Disconnects everybody, writes the retained messages and stops listening. */
  close(): Promise<void>;
}

const MAX_CLIENTS = 100;
const MAX_PACKET = 1024 * 1024;
/** Bytes of a topic or filter; our own are under 700. */
const MAX_TOPIC = 1024;
const MAX_CLIENT_ID = 256;
const MAX_WILL = 64 * 1024;
/** Packets that hold lists of filters, which are looked at in one go: SUBSCRIBE and UNSUBSCRIBE. */
const LISTS: ReadonlySet<number> = new Set([8, 10]);
const MAX_LIST = 16 * 1024;
/** Bytes of QoS 2 messages that wait for their PUBREL, of a client and in all. */
const INFLIGHT = { each: 2 * 1024 * 1024, all: 16 * 1024 * 1024 };
/** CONNACK codes of MQTT 3.1.1 (3.2.2.3). */
const BAD_ID = 2;
const UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;

/**
 * A small MQTT 3.1.1 broker in this process, for the demo and for homes without one. Everything that
 * clients make it keep is bounded in bytes, for each and in all: connections, packets, topics, wills,
 * subscriptions, QoS 2 messages under way, retained messages and their file. Sessions end with their
 * connection. What is refused is told once a minute.
 *
 * Throws MND_MQTT_LISTEN when the address is taken or may not be used, or when it would be open to
 * the network without users.
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  checkExposure(options);
  const started = new AedesBroker(options);
  await started.start();
  return started;
}

class AedesBroker implements EmbeddedBroker {
  readonly #options: EmbeddedBrokerOptions;
  readonly #log: Log;
  readonly #refused: RepeatingLog;
  readonly #clock: Clock;
  readonly #retained: RetainedStore;
  readonly #admission: Admission;
  readonly #logins: Logins;
  readonly #inflight = new ByteBudget<Client>(INFLIGHT.each, INFLIGHT.all);
  readonly #subscriptions = new SubscriptionBudget<Client>();
  readonly #turns: Turns;
  readonly #deliveries: Deliveries<PacedConnection>;
  readonly #server = createServer((socket) => this.#admit(socket));
  #broker: Aedes | null = null;
  readonly #sessions = new Sessions();
  /** The connection whose SUBSCRIBE is being looked at. */
  #subscribing: PacedConnection | null = null;
  port = 0;

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
    this.#log = options.log ?? SILENT;
    this.#clock = options.clock ?? backgroundClock;
    const { now } = this.#clock;
    this.#refused = createRepeatingLog(this.#log, { clock: this.#clock });
    this.#retained = new RetainedStore({
      file: options.file,
      ephemeral: options.ephemeral,
      maxRetained: options.maxRetained,
      maxRetainedBytes: options.maxRetainedBytes,
      log: this.#log,
      clock: this.#clock,
    });
    const maxClients = options.maxClients ?? MAX_CLIENTS;
    this.#admission = new Admission(this.#clock, maxClients, () => {
      this.#refused.warn('idle', 'connections that say nothing gave way to newer ones');
    });
    this.#logins = new Logins(options);
    this.#turns = new Turns(now);
    this.#deliveries = new Deliveries(this.#clock, (connection) => this.#leaveBehind(connection));
    this.#server.maxConnections = maxClients + 64;
  }

  get url(): string {
    return `mqtt://${hostForClients(this.#options.host)}:${this.port}`;
  }

  clients(): number {
    return this.#sessions.size;
  }

  async start(): Promise<void> {
    const broker = await Aedes.createBroker({
      // Room for a client that publishes a burst right after CONNECT.
      queueLimit: 256,
      connectTimeout: CONNECT_MS,
      drainTimeout: 10_000,
      maxTopicLevels: 32,
      preConnect: (_client, packet, done) => this.#preConnect(packet, done),
      authenticate: (client, username, password, done) => {
        void this.#authenticate(client, username, password).then(
          (fault) => done(fault, fault === null),
          () => done(refusal('it cannot be checked', UNAVAILABLE), false),
        );
      },
      authorizePublish: (client, packet, done) => done(this.#publishFault(client, packet)),
      authorizeSubscribe: (client, subscription, done) => {
        done(null, this.#maySubscribe(client, subscription.topic) ? subscription : null);
      },
    });
    this.#broker = broker;
    serveRetained(broker, () => {
      const owner = this.#subscribing ?? this;
      return () => this.#turns.next(owner);
    });
    this.#deliveries.serve(broker, () => this.#subscribing);
    boundIncoming(broker, this.#inflight, (client) => {
      this.#tell('inflight', client, 'too many QoS 2 messages without PUBREL: it is disconnected');
    });
    broker.on('unsubscribe', (filters, client) => {
      for (const filter of filters) this.#subscriptions.give(client, filter);
    });
    broker.on('clientDisconnect', (client) => {
      this.#subscriptions.forget(client);
      this.#inflight.forget(client);
      this.#deliveries.forget(client.conn as PacedConnection);
    });
    for (const event of ['clientError', 'connectionError'] as const) {
      broker.on(event, (client, error) => this.#log.debug({ client: client.id }, messageOf(error)));
    }
    for (const message of this.#retained.restored(tooLong)) {
      const packet = { cmd: 'publish', ...message, retain: true, dup: false } as const;
      await new Promise<void>((resolve) => broker.publish(packet, () => resolve()));
    }
    try {
      this.port = await listen(this.#server, this.#options);
    } catch (error) {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#retained.close();
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#broker?.close(() => resolve()) ?? resolve());
    this.#sessions.end();
    await stopped;
  }

  #admit(socket: Socket): void {
    this.#admission.arrived(socket);
    const limit = this.#options.maxPacket ?? MAX_PACKET;
    const fits = createPacketLimit((type) => (LISTS.has(type) ? MAX_LIST : limit));
    socket.setNoDelay(true);
    const connection = new PacedConnection({
      socket,
      turns: this.#turns,
      fits: (piece) => {
        const small = fits(piece);
        const fields = { from: socket.remoteAddress };
        if (!small)
          this.#refused.warn('packet', 'a client sent a packet that is too large', fields);
        return small;
      },
    });
    this.#sessions.arrived(connection);
    this.#broker?.handle(connection);
  }

  #preConnect(
    packet: ConnectPacket,
    done: (error: AuthenticateError | null, success: boolean) => void,
  ): void {
    // A session that outlived its connection would queue messages without a bound.
    packet.clean = true;
    const { clientId, will } = packet;
    const tooMuch = will && (will.payload.length > MAX_WILL || tooLong(will.topic));
    if (Buffer.byteLength(clientId) > MAX_CLIENT_ID) {
      done(refusal('the client id is too long', BAD_ID), false);
    } else if (tooMuch) {
      done(refusal('the will is too large', UNAVAILABLE), false);
    } else done(null, true);
  }

  /** Null when the client may come in. */
  async #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<AuthenticateError | null> {
    const { socket } = client.conn as PacedConnection;
    const own = client.id === this.#options.ownClientId && isLoopback(socket.remoteAddress ?? '');
    const turned = this.#admission.admit(socket, own);
    if (turned !== null) {
      const why = turned === 'full' ? 'there is no room' : 'its address has enough of them';
      this.#tell('clients', client, `a client is not let in: ${why}`);
      return refusal('too many clients', UNAVAILABLE);
    }
    if (client.id === this.#options.ownClientId && !own) {
      this.#tell('id', client, "a client that uses this daemon's client id is not let in");
      return refusal('the client id is taken', BAD_ID);
    }
    if (await this.#logins.accepts(username, password)) {
      this.#sessions.begin(client.id, client.conn as PacedConnection);
      return null;
    }
    return refusal('unknown user or wrong password', BAD_CREDENTIALS);
  }

  /** Why a message is not taken; null when it is. Without room it is delivered, only not kept. */
  #publishFault(client: Client | null, packet: PublishPacket): Error | null {
    if (packet.topic.startsWith('$')) return new Error('reserved topic');
    if (tooLong(packet.topic)) {
      if (client !== null) {
        this.#tell('topic', client, `a topic of more than ${MAX_TOPIC} bytes: it is disconnected`);
      }
      return new Error('the topic is too long');
    }
    if (packet.retain && !this.#retained.admit(packet)) {
      packet.retain = false;
      const fields = { topic: packet.topic };
      this.#refused.warn('retained', 'no room for more retained messages', fields);
    }
    return null;
  }

  #maySubscribe(client: Client, filter: string): boolean {
    this.#subscribing = client.conn as PacedConnection;
    if (!tooLong(filter) && this.#subscriptions.take(client, filter)) return true;
    this.#tell('subscriptions', client, 'a subscription is refused: the client has too many');
    if (this.#subscriptions.isFlood(client)) {
      this.#tell('flood', client, 'a client that does not stop to subscribe is disconnected');
      client.conn.destroy();
    }
    return false;
  }

  /** A client does not read what it has asked for. */
  #leaveBehind(connection: PacedConnection): void {
    const fields = { from: connection.socket.remoteAddress };
    this.#refused.warn(
      'behind',
      'a client that does not read what it hears is disconnected',
      fields,
    );
    connection.destroy();
  }

  #tell(key: string, client: Client, message: string): void {
    const from = (client.conn as PacedConnection).socket.remoteAddress;
    this.#refused.warn(key, message, { client: client.id?.slice(0, 64), from });
  }
}

function tooLong(topic: string): boolean {
  return Buffer.byteLength(topic) > MAX_TOPIC;
}

function refusal(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}
