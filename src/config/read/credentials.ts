import { isAbsolute, join } from 'node:path';
import { decoded, splitAddress } from '../../address.js';
import type { ConfigProblem } from '../check/problem.js';
import type { CameraConfig, Config, MqttConfig } from '../config.js';
import { type CredentialOptions, readSecret, type SecretSource } from './credential-file.js';
import { applyRuleFiles } from './rule-files.js';

type Name = 'username' | 'password';

interface WithCredentials {
  readonly config: Config;
  /** Where user name and password came from, where the keys do not say it. */
  readonly origins: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Takes user name and password out of the broker's address, and reads them from their files or from
 * systemd. What the keys say themselves comes first, then the address, the file, and the credential
 * `mqtt_username` or `mqtt_password` (LoadCredential=, systemd.exec(5)). A camera's password comes
 * from its key, its file, or the credential `camera_NAME_password`.
 */
export function applyCredentials(config: Config, options: CredentialOptions): WithCredentials {
  const origins = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  const mqtt = { ...config.mqtt };
  const urlOrigin = options.originOf('mqtt.url');
  const taken = takeUserInfo(mqtt.url);
  mqtt.url = taken.url;
  for (const name of ['username', 'password'] as const) {
    if (mqtt[name] !== null) {
      origins.set(`mqtt.${name}`, options.originOf(`mqtt.${name}`));
    } else if (taken[name] !== null) {
      mqtt[name] = taken[name];
      origins.set(`mqtt.${name}`, urlOrigin);
    } else {
      const source = sourceOf(name, mqtt, options);
      const found = source === null ? null : readSecret(source, options, problems);
      if (source === null || found === null) continue;
      mqtt[name] = found;
      origins.set(`mqtt.${name}`, source.required ? source.file : source.origin);
    }
  }
  checkUserName(mqtt, { options, origins, problems });
  const cameras = Object.fromEntries(
    Object.entries(config.cameras).map(([name, camera]) => {
      const secret = cameraSecret(name, camera, options);
      const password = secret === null ? null : readSecret(secret, options, problems);
      if (secret === null || password === null) return [name, camera];
      origins.set(`cameras.${name}.password`, secret.required ? secret.file : secret.origin);
      return [name, { ...camera, password }];
    }),
  );
  const notify = applyRuleFiles(config, { options, origins, problems });
  return { config: { ...config, mqtt, cameras, notify }, origins, problems };
}

/** Where a camera's password is, if it has none in the configuration: a file, or a credential. */
function cameraSecret(
  name: string,
  { url, username, password, password_file: file }: CameraConfig,
  options: CredentialOptions,
): SecretSource | null {
  if (password !== null) return null;
  const key = `cameras.${name}.password_file`;
  if (file !== null) return { key, file, origin: options.originOf(key), required: true };
  const folder = options.env.CREDENTIALS_DIRECTORY ?? '';
  // A camera without an address, or with a password in it, has no use for one.
  const hasLogin = url === null || url.includes('@') || username === null;
  if (!isAbsolute(folder) || hasLogin) return null;
  const credential = `camera_${name}_password`;
  const origin = `credential ${credential}`;
  return { key, file: join(folder, credential), origin, required: false };
}

/** MQTT 3.1.1, 3.1.2.9: a password needs a user name. */
function checkUserName(
  mqtt: MqttConfig,
  found: {
    readonly options: CredentialOptions;
    readonly origins: ReadonlyMap<string, string>;
    readonly problems: ConfigProblem[];
  },
): void {
  if (mqtt.password === null || mqtt.username !== null) return;
  const keys = ['mqtt.username', 'mqtt.username_file', 'mqtt.password', 'mqtt.url'];
  if (found.problems.length > 0 || keys.some((key) => found.options.faulty.has(key))) return;
  const where = found.origins.get('mqtt.password') ?? 'default';
  const message = 'a password needs mqtt.username';
  found.problems.push({ where, key: 'mqtt.password', message });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

type Taken = Mutable<Pick<MqttConfig, 'url' | 'username' | 'password'>>;

/** Of several addresses, the first that names a user counts; rules.ts lets none name another. */
function takeUserInfo(url: MqttConfig['url']): Taken {
  if (url === null || typeof url === 'string') return takeFromOne(url);
  const taken = url.map(takeFromOne);
  const named = taken.find(({ username, password }) => username !== null || password !== null);
  return {
    url: taken.map((each) => String(each.url)),
    username: named?.username ?? null,
    password: named?.password ?? null,
  };
}

function takeFromOne(address: string | null): Taken {
  if (address === null) return { url: null, username: null, password: null };
  const { scheme = '', authority = '', rest = '' } = splitAddress(address) ?? {};
  const at = authority.lastIndexOf('@');
  if (at < 0) return { url: address, username: null, password: null };
  const [, username = '', password = ''] = /^([^:]*):?(.*)$/s.exec(authority.slice(0, at)) ?? [];
  return {
    url: `${scheme}${authority.slice(at + 1)}${rest}`,
    username: username === '' ? null : decoded(username),
    password: password === '' ? null : decoded(password),
  };
}

function sourceOf(name: Name, mqtt: MqttConfig, options: CredentialOptions): SecretSource | null {
  const key = `mqtt.${name}_file`;
  const file = mqtt[`${name}_file`];
  if (file !== null) return { key, file, origin: options.originOf(key), required: true };
  const folder = options.env.CREDENTIALS_DIRECTORY ?? '';
  // An anonymous client has no use for a password.
  const useless = name === 'password' && mqtt.username === null;
  if (!isAbsolute(folder) || useless) return null;
  const credential = `mqtt_${name}`;
  return {
    key,
    file: join(folder, credential),
    origin: `credential ${credential}`,
    required: false,
  };
}
