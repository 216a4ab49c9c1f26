import { randomUUID } from 'node:crypto';
import type { EmbeddedBroker } from '../mqtt/broker/embedded.js';
import { hashPassword } from '../mqtt/broker/password.js';
import { type Connection, createConnection } from '../mqtt/connection/connection.js';
import type { Outbox } from '../mqtt/message.js';
import { createPublisher, type Publisher } from '../mqtt/publish/publisher.js';
import { createTopics, type Topics } from '../mqtt/topics.js';
import { VERSION } from '../package-root.js';
import type { Log } from './diagnostics/log.js';
import type { MessagingOptions } from './options/broker.js';

/** The longest that an event waits for its picture: the next frame of a slow camera, and its JPEG. */
const PICTURE_WAIT_MS = 1500;

/** What all brokers are given. */
interface Surroundings {
  readonly outbox: Outbox;
  /** When the frame of the picture of an event was taken, ms; null: none is kept. */
  readonly pictureTimeOf: (id: string) => number | null;
  readonly log: Log;
}

/** All there is for one broker. */
interface Broker {
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly topics: Topics;
  readonly isEmbedded: boolean;
  close(): Promise<void>;
}

/** The broker of the configuration; it can be exchanged while those who hold this keep it. */
export class Messaging {
  readonly #surroundings: Surroundings;
  #broker: Broker;
  /** A board (`<base>/<node>`) with the same device id in Home Assistant; null: none is known. */
  deviceRival: string | null = null;

  /** Connects to the configured broker, or starts the embedded one when there is none. */
  static async open(options: MessagingOptions, surroundings: Surroundings): Promise<Messaging> {
    return new Messaging(await openBroker(options, surroundings), surroundings);
  }

  private constructor(broker: Broker, surroundings: Surroundings) {
    this.#broker = broker;
    this.#surroundings = surroundings;
  }

  get connection(): Connection {
    return this.#broker.connection;
  }

  get publisher(): Publisher {
    return this.#broker.publisher;
  }

  get topics(): Topics {
    return this.#broker.topics;
  }

  /** Address of the broker in use, without a password. */
  get address(): string {
    return this.#broker.connection.broker();
  }

  /** Whether the broker is the embedded one. */
  get isEmbedded(): boolean {
    return this.#broker.isEmbedded;
  }

  connected(): boolean {
    return this.#broker.connection.connected();
  }

  /** Why there is no connection, as a fragment of a sentence; null: it is not known yet, or there is one. */
  fault(): string | null {
    return this.#broker.connection.fault();
  }

  /**
   * Says goodbye to one broker and makes ready for the next; its publisher is yet to be told
   * everything, and started. When that throws, nothing is connected: replace it once more.
   */
  async replace(options: MessagingOptions): Promise<void> {
    // First: the embedded broker's port may be wanted again.
    await this.#broker.close();
    this.#broker = await openBroker(options, this.#surroundings);
  }

  close(): Promise<void> {
    return this.#broker.close();
  }
}

async function openBroker(
  options: MessagingOptions,
  { outbox, pictureTimeOf, log }: Surroundings,
): Promise<Broker> {
  const topics = createTopics(options);
  const { url } = options;
  const embedded = url === null ? await startEmbedded(options, topics, log) : null;
  const address = url ?? embedded?.broker.url ?? '';
  const connection = createConnection({
    ...options.connection,
    // The embedded broker lets this process in by a user of its own, and speaks nothing but 3.1.1.
    ...(embedded !== null && { ...embedded.login, protocol: 4 }),
    url: address,
    will: { topic: topics.state, payload: 'offline' },
    log: log.child({ part: 'mqtt' }),
  });
  const publisher = createPublisher({
    connection,
    topics,
    outbox,
    version: VERSION,
    maxEventAge: options.maxEventAge,
    pictureWaitMs: PICTURE_WAIT_MS,
    pictureTimeOf,
    log: log.child({ part: 'mqtt' }),
  });
  let closing: Promise<void> | null = null;
  return {
    connection,
    publisher,
    topics,
    isEmbedded: embedded !== null,
    close() {
      closing ??= publisher.close().then(() => embedded?.broker.close());
      return closing;
    },
  };
}

interface OwnBroker {
  readonly broker: EmbeddedBroker;
  /** How this daemon itself gets in; null where anybody does. */
  readonly login: { readonly username: string | null; readonly password: string | null };
}

async function startEmbedded(
  { embedded, connection }: MessagingOptions,
  topics: Topics,
  log: Log,
): Promise<OwnBroker> {
  const { host, port, users, allowAnonymous, file } = embedded;
  const guarded = Object.keys(users).length > 0;
  // A user of this process alone, which no configured one can be.
  const [username, password] = guarded ? [`daemon ${randomUUID()}`, randomUUID()] : [null, null];
  const own = username === null ? {} : { [username]: await hashPassword(password) };
  // Loaded only where it is wanted.
  const { startEmbeddedBroker } = await import('../mqtt/broker/embedded.js');
  const broker = await startEmbeddedBroker({
    host,
    port,
    ...(guarded && { users: { ...users, ...own } }),
    allowAnonymous,
    ownClientId: connection.clientId,
    file,
    // Our own topics are said again at every start.
    ephemeral: (topic) => topic.startsWith(`${topics.root}/`),
    log: log.child({ part: 'broker' }),
  });
  return { broker, login: { username, password } };
}
