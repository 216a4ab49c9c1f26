import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { parseListen } from '../../config/schema/formats.js';
import { codedError } from '../../errors.js';
import type { EmbeddedBroker } from '../../mqtt/broker/embedded.js';
import { hashPassword } from '../../mqtt/broker/password.js';
import { shownAddress } from '../../mqtt/connection/client-options.js';
import {
  type Connection,
  createConnection,
  type TlsOptions,
} from '../../mqtt/connection/connection.js';
import { createPublisher, type Publisher } from '../../mqtt/publish/publisher.js';
import { createTopics, type Topics } from '../../mqtt/topics.js';
import { VERSION } from '../../package-root.js';
import type { Store } from '../../store/store.js';
import type { Log } from '../diagnostics/log.js';

export interface Messaging {
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly topics: Topics;
  /** Address clients can use, without a password. */
  readonly broker: string;
  connected(): boolean;
  close(): Promise<void>;
}

/** Messaging that can be exchanged while those who hold it keep it. */
export interface LiveMessaging extends Messaging {
  /**
   * Says goodbye to one broker and makes ready for the next; its publisher is yet to be told
   * everything, and started. When that throws, nothing is connected: replace it once more.
   */
  replace(config: Config): Promise<void>;
}

export async function startLiveMessaging(
  config: Config,
  store: Store,
  log: Log,
): Promise<LiveMessaging> {
  let current = await startMessaging(config, store, log);
  return {
    get connection() {
      return current.connection;
    },
    get publisher() {
      return current.publisher;
    },
    get topics() {
      return current.topics;
    },
    get broker() {
      return current.broker;
    },
    connected: () => current.connected(),
    close: () => current.close(),
    async replace(next) {
      // First: the embedded broker's port may be wanted again.
      await current.close();
      current = await startMessaging(next, store, log);
    },
  };
}

/** Connects to the configured broker, or starts the embedded one when there is none. */
async function startMessaging(config: Config, store: Store, log: Log): Promise<Messaging> {
  const { mqtt } = config;
  const topics = createTopics({ base: mqtt.base, node: config.node });
  const embedded = mqtt.url === null ? await startBroker(config, topics, log) : null;
  const url = embedded?.broker.url ?? mqtt.url ?? '';
  const connection = createConnection({
    url,
    username: embedded === null ? mqtt.username : embedded.username,
    password: embedded === null ? mqtt.password : embedded.password,
    clientId: mqtt.client_id ?? `mobilenetd-${config.node}`,
    // The embedded broker speaks nothing else.
    protocol: embedded === null ? protocolOf(config) : 4,
    keepalive: mqtt.keepalive,
    tls: tlsOf(config),
    will: { topic: topics.state, payload: 'offline' },
    log: log.child({ part: 'mqtt' }),
  });
  const publisher = createPublisher({
    connection,
    topics,
    outbox: store.outbox,
    version: VERSION,
    maxEventAge: mqtt.max_age,
    log: log.child({ part: 'mqtt' }),
  });
  let closing: Promise<void> | null = null;
  return {
    connection,
    publisher,
    topics,
    broker: shownAddress(url),
    connected: () => connection.connected(),
    close() {
      closing ??= publisher.close().then(() => embedded?.broker.close());
      return closing;
    },
  };
}

function protocolOf({ mqtt }: Config): 'auto' | 4 | 5 {
  return mqtt.protocol === '3.1.1' ? 4 : mqtt.protocol;
}

interface OwnBroker {
  readonly broker: EmbeddedBroker;
  /** How this daemon itself gets in; null where anybody does. */
  readonly username: string | null;
  readonly password: string | null;
}

async function startBroker(config: Config, topics: Topics, log: Log): Promise<OwnBroker> {
  const { listen, users, allow_anonymous: allowAnonymous } = config.mqtt.embedded;
  const { host, port } = parseListen(listen);
  const guarded = Object.keys(users).length > 0;
  // A user of this process alone, which no configured one can be.
  const [username, password] = guarded ? [`daemon ${randomUUID()}`, randomUUID()] : [null, null];
  const own = username === null ? {} : { [username]: await hashPassword(password) };
  // Loaded only where it is wanted.
  const { startEmbeddedBroker } = await import('../../mqtt/broker/embedded.js');
  const broker = await startEmbeddedBroker({
    host,
    port,
    ...(guarded && { users: { ...users, ...own } }),
    allowAnonymous,
    file: join(config.state_dir, 'retained.json'),
    // Our own topics are said again at every start.
    ephemeral: (topic) => topic.startsWith(`${topics.root}/`),
    log: log.child({ part: 'broker' }),
  });
  return { broker, username, password };
}

/** The TLS settings of the configuration with their files read. @throws MND_CONFIG_INVALID */
export function tlsOf(config: Config): TlsOptions {
  const { ca_file, cert_file, key_file, verify, server_name, min_version, alpn } = config.mqtt.tls;
  return {
    verify,
    minVersion: min_version,
    ...(alpn.length > 0 && { alpn }),
    ...(server_name !== null && { serverName: server_name }),
    ...(ca_file !== null && { ca: readPem('mqtt.tls.ca_file', ca_file) }),
    ...(cert_file !== null && { cert: readPem('mqtt.tls.cert_file', cert_file) }),
    ...(key_file !== null && { key: readPem('mqtt.tls.key_file', key_file) }),
  };
}

function readPem(key: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: key,
      expected: 'a PEM file that can be read',
      found: file,
      cause,
    });
  }
}
