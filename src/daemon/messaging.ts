import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { parseListen } from '../config/formats.js';
import { codedError } from '../errors.js';
import { type Connection, createConnection, type TlsOptions } from '../mqtt/connection.js';
import { type EmbeddedBroker, startEmbeddedBroker } from '../mqtt/embedded.js';
import { createPublisher, type Publisher } from '../mqtt/publisher.js';
import { createTopics, type Topics } from '../mqtt/topics.js';
import { VERSION } from '../package-root.js';
import type { Store } from '../store/store.js';
import type { Log } from './log.js';

/** Seconds an undelivered event is kept for a broker that is away. */
export const MAX_EVENT_AGE = 7 * 24 * 3600;

export interface Messaging {
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly topics: Topics;
  /** Address clients can use, without a password. */
  readonly broker: string;
  connected(): boolean;
  close(): Promise<void>;
}

/** Connects to the configured broker, or starts the embedded one when there is none. */
export async function startMessaging(config: Config, store: Store, log: Log): Promise<Messaging> {
  const topics = createTopics({ base: config.mqtt.base, node: config.node });
  const embedded = config.mqtt.url === null ? await startBroker(config, topics, log) : null;
  const url = embedded?.url ?? config.mqtt.url ?? '';
  const connection = createConnection({
    url,
    username: embedded === null ? config.mqtt.username : null,
    password: embedded === null ? config.mqtt.password : null,
    clientId: `mobilenetd-${config.node}`,
    tls: tlsOf(config),
    will: { topic: topics.state, payload: 'offline' },
    log: log.child({ part: 'mqtt' }),
  });
  const publisher = createPublisher({
    connection,
    topics,
    outbox: store.outbox,
    version: VERSION,
    maxEventAge: MAX_EVENT_AGE,
    log: log.child({ part: 'mqtt' }),
  });
  return {
    connection,
    publisher,
    topics,
    broker: url,
    connected: () => connection.connected(),
    async close() {
      await publisher.close();
      await embedded?.close();
    },
  };
}

function startBroker(config: Config, topics: Topics, log: Log): Promise<EmbeddedBroker> {
  const { host, port } = parseListen(config.mqtt.embedded.listen);
  return startEmbeddedBroker({
    host,
    port,
    file: join(config.state_dir, 'retained.json'),
    // Our own topics are said again at every start.
    ephemeral: (topic) => topic.startsWith(`${topics.root}/`),
    log: log.child({ part: 'broker' }),
  });
}

function tlsOf(config: Config): TlsOptions {
  const { ca_file, cert_file, key_file, verify } = config.mqtt.tls;
  return {
    verify,
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
