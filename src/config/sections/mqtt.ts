import type { Config } from '../config.js';
import {
  address,
  boolean,
  either,
  filePath,
  label,
  list,
  listen,
  nullable,
  oneOf,
  secret,
  topicPrefix,
} from '../formats.js';
import type { Section } from '../leaf.js';
import { key } from '../leaf.js';

export const MQTT = {
  url: key(
    nullable(address('mqtt', 'mqtts', 'ws', 'wss')),
    null,
    'Broker, e.g. mqtt://192.0.2.1:1883. Null starts the embedded broker.',
    { address: true },
  ),
  username: key(nullable(secret), null, 'User name at the broker.'),
  password: key(
    nullable(secret),
    null,
    'Password at the broker. Better kept in password_file or in the systemd credential mqtt_password.',
    { sensitive: true },
  ),
  password_file: key(nullable(filePath), null, 'File whose only line is the password.', {
    path: true,
  }),
  base: key(topicPrefix, 'mobilenetd', 'First level of every topic; the node comes next.'),
  tls: {
    ca_file: key(
      nullable(filePath),
      null,
      "Certificates (PEM) that are trusted instead of the system's.",
      { path: true },
    ),
    cert_file: key(nullable(filePath), null, 'Certificate (PEM) of this client.', { path: true }),
    key_file: key(nullable(filePath), null, 'Key (PEM) of that certificate.', { path: true }),
    verify: key(boolean, true, 'false accepts any certificate: for tests only.'),
  },
  embedded: {
    listen: key(listen, '127.0.0.1:1883', 'Where the embedded broker listens; loopback only.'),
  },
} as const satisfies Section<Config['mqtt']>;

export const HOME_ASSISTANT = {
  enabled: key(boolean, true, 'Announce entities to Home Assistant.'),
  prefix: key(topicPrefix, 'homeassistant', 'Discovery prefix of Home Assistant.'),
  labels: key(
    either(oneOf('default'), list(label, 'labels', { max: 200 })),
    'default',
    'Labels that become entities; default takes those that people watch.',
  ),
} as const satisfies Section<Config['homeassistant']>;
