import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { parseListen } from '../../config/schema/formats.js';
import { codedError } from '../../errors.js';
import type { ConnectionOptions, TlsOptions } from '../../mqtt/connection/connection.js';
import { readSmallFile } from '../../small-file.js';

/** The broker that runs in this process when no other is configured. */
export interface EmbeddedOptions {
  readonly host: string;
  readonly port: number;
  /** Hashes of passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
  readonly allowAnonymous: boolean;
  /** Where it keeps what is retained. */
  readonly file: string;
}

export interface MessagingOptions {
  readonly base: string;
  readonly node: string;
  /** Null: the embedded broker. */
  readonly url: string | readonly string[] | null;
  readonly connection: Pick<
    ConnectionOptions,
    'username' | 'password' | 'clientId' | 'protocol' | 'keepalive' | 'tls'
  >;
  readonly embedded: EmbeddedOptions;
  /** Seconds an event is worth delivering. */
  readonly maxEventAge: number;
}

/** @throws MND_CONFIG_INVALID when a file of the TLS settings cannot be read */
export function messagingOptionsOf(config: Config): MessagingOptions {
  const { mqtt, node } = config;
  const { listen, users, allow_anonymous: allowAnonymous } = mqtt.embedded;
  return {
    base: mqtt.base,
    node,
    url: mqtt.url,
    connection: {
      username: mqtt.username,
      password: mqtt.password,
      clientId: mqtt.client_id ?? `mobilenetd-${node}`,
      protocol: mqtt.protocol === '3.1.1' ? 4 : mqtt.protocol,
      keepalive: mqtt.keepalive,
      tls: tlsOf(config),
    },
    embedded: {
      ...parseListen(listen),
      users,
      allowAnonymous,
      file: join(config.state_dir, 'retained.json'),
    },
    maxEventAge: mqtt.max_age,
  };
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

/** A bundle of every authority there is has a quarter of this. */
const MAX_PEM_BYTES = 1024 * 1024;

function readPem(key: string, file: string): Buffer {
  try {
    return readSmallFile(file, MAX_PEM_BYTES);
  } catch (cause) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: key,
      expected: 'a PEM file that can be read',
      found: file,
      cause,
    });
  }
}
