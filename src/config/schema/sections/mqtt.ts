import {
  boolean,
  either,
  integer,
  list,
  nullable,
  number,
  oneOf,
  oneOrMany,
  secret,
  text,
} from '../../../schema/format.js';
import type { Section } from '../../../schema/section.js';
import { items, key } from '../../../schema/section.js';
import { address, filePath, label } from '../../../schema/text.js';
import { clientId, listen, pageAddress, passwordHash, title, topicPrefix } from '../formats.js';

const broker = address('mqtt', 'mqtts', 'ws', 'wss', 'mqtt+srv', 'mqtts+srv');

export const MQTT = {
  url: key(
    nullable(oneOrMany(broker, list(broker, 'addresses of brokers', { min: 1, max: 16 }))),
    null,
    'Broker, e.g. mqtt://192.0.2.1:1883, or a list of which the first that works is used; mqtt+srv://example.org takes those of its SRV records. Null starts the embedded broker.',
    { address: true },
  ),
  protocol: key(
    either(oneOf('auto', '3.1.1'), oneOf(5)),
    'auto',
    'Version of MQTT; auto speaks 5, and 3.1.1 to a broker that does not know 5.',
  ),
  client_id: key(
    nullable(clientId),
    null,
    'Client id at the broker: unique, and the same after a restart. Null takes mobilenetd-<node>.',
  ),
  keepalive: key(
    integer(1, 65_535, 'seconds'),
    30,
    'A link that is dead without being closed is noticed after 1.5 times this, seconds.',
  ),
  max_age: key(
    number(60, 31_536_000, 'seconds'),
    604_800,
    'An event that could not be delivered for so long is dropped, here and (MQTT 5) at the broker, seconds.',
  ),
  username: key(
    nullable(secret),
    null,
    'User name at the broker; or in username_file, or in the systemd credential mqtt_username.',
  ),
  username_file: key(nullable(filePath), null, 'File whose only line is the user name.', {
    path: true,
  }),
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
    server_name: key(
      nullable(text('a host name', /^[A-Za-z0-9._-]+$/, 253)),
      null,
      "Name in the broker's certificate, when it is not the host of mqtt.url.",
    ),
    min_version: key(
      oneOf('TLSv1.2', 'TLSv1.3'),
      'TLSv1.2',
      'Oldest version of TLS that is accepted.',
    ),
    alpn: key(
      list(text('a protocol name', /^[\x21-\x7e]+$/, 255), 'protocol names, e.g. [mqtt]', {
        max: 8,
      }),
      [],
      'Application protocols that are offered (ALPN), e.g. for a broker on port 443; not with wss.',
    ),
  },
  embedded: {
    listen: key(
      listen,
      '127.0.0.1:1883',
      'Where the embedded broker listens; beyond loopback it needs users or allow_anonymous.',
    ),
    users: items(key(passwordHash, '', 'Hash of the password.', { sensitive: true }), {
      doc: 'Who may connect to the embedded broker: name and hash (mobilenetd config hash-password). With none, anybody who reaches it.',
      names: text('a user name', /\S/, 64),
      example: 'porch: scrypt$16384$8$1$<salt>$<key>',
    }),
    allow_anonymous: key(
      boolean,
      false,
      'true lets anybody in from the network, who can then switch cameras and read all: not advised.',
    ),
  },
} as const satisfies Section;

export const HOME_ASSISTANT = {
  enabled: key(boolean, true, 'Announce entities to Home Assistant.'),
  prefix: key(topicPrefix, 'homeassistant', 'Discovery prefix of Home Assistant.'),
  device_id: key(
    nullable(text('letters, digits, "-" and "_"', /^[A-Za-z0-9_-]+$/, 64)),
    null,
    'Name in the id of the device, mobilenetd_<name>, e.g. for access rules. Null makes it of the machine; either way it stays when the board is renamed.',
  ),
  labels: key(
    either(oneOf('default'), list(label, 'labels', { max: 200 })),
    'default',
    'Labels that become entities; default takes those that people watch.',
  ),
  names: items(key(title, '', 'What people call it.'), {
    doc: 'What people call labels and groups, any text; topics keep their names.',
    names: label,
    example: 'person: Mensch',
  }),
  configuration_url: key(
    nullable(pageAddress),
    null,
    "Web page that the device's link in Home Assistant leads to. null: the daemon's own page, where it listens beyond loopback with users.",
    { address: true },
  ),
  version_file: key(
    nullable(filePath),
    null,
    'File whose first line is the latest version there is, for the update entity; read once a minute.',
    { path: true },
  ),
} as const satisfies Section;
