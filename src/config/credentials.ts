import { isAbsolute, join } from 'node:path';
import type { Config, MqttConfig } from './config.js';
import type { ConfigProblem } from './problem.js';

const MAX_SECRET_BYTES = 65_535;
/** Name of the systemd credential (LoadCredential=, systemd.exec(5)) that holds the password. */
const CREDENTIAL = 'mqtt_password';

interface CredentialOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: (file: string, limit: number) => Buffer;
  readonly originOf: (dotted: string) => string;
  readonly faulty: ReadonlySet<string>;
}

interface WithCredentials {
  readonly config: Config;
  /** Where user name and password came from, where the keys do not say it. */
  readonly origins: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Takes user name and password out of the broker's address, and reads the password from its file or
 * from systemd. What the keys say themselves comes first, then the address, the file, the credential.
 */
export function applyCredentials(config: Config, options: CredentialOptions): WithCredentials {
  const origins = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  const mqtt = { ...config.mqtt };
  const urlOrigin = options.originOf('mqtt.url');
  const taken = takeUserInfo(mqtt.url);
  mqtt.url = taken.url;
  for (const key of ['username', 'password'] as const) {
    const value = taken[key];
    if (value === null || mqtt[key] !== null) continue;
    mqtt[key] = value;
    origins.set(`mqtt.${key}`, urlOrigin);
  }
  if (mqtt.password === null) {
    const source = passwordFile(mqtt, options);
    const secret = source === null ? null : readSecret(source, options, problems);
    if (source !== null && secret !== null) {
      mqtt.password = secret;
      origins.set('mqtt.password', source.required ? source.file : source.origin);
    }
  }
  return { config: { ...config, mqtt }, origins, problems };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function takeUserInfo(
  address: string | null,
): Mutable<Pick<MqttConfig, 'url' | 'username' | 'password'>> {
  if (address === null) return { url: null, username: null, password: null };
  const url = new URL(address);
  const { username, password } = url;
  if (username === '' && password === '') return { url: address, username: null, password: null };
  url.username = '';
  url.password = '';
  return {
    url: url.href,
    username: username === '' ? null : decode(username),
    password: password === '' ? null : decode(password),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % that stands for itself.
    return text;
  }
}

interface SecretSource {
  readonly file: string;
  readonly origin: string;
  /** Told when it does not exist. */
  readonly required: boolean;
}

function passwordFile(mqtt: MqttConfig, options: CredentialOptions): SecretSource | null {
  if (mqtt.password_file !== null) {
    const where = options.originOf('mqtt.password_file');
    return { file: mqtt.password_file, origin: where, required: true };
  }
  const folder = options.env.CREDENTIALS_DIRECTORY ?? '';
  // An anonymous client has no use for a password.
  if (!isAbsolute(folder) || mqtt.username === null) return null;
  return { file: join(folder, CREDENTIAL), origin: `credential ${CREDENTIAL}`, required: false };
}

function readSecret(
  source: SecretSource,
  options: CredentialOptions,
  problems: ConfigProblem[],
): string | null {
  const fail = (message: string) => {
    const where = source.origin;
    problems.push({ where, key: 'mqtt.password_file', message: `${source.file}: ${message}` });
    return null;
  };
  let bytes: Buffer;
  try {
    bytes = options.readFile(source.file, MAX_SECRET_BYTES + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return !source.required && code === 'ENOENT' ? null : fail(`cannot be read (${code})`);
  }
  if (bytes.length > MAX_SECRET_BYTES) return fail('expected a password, found a large file');
  const secret = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (secret === '') return fail('expected a password, found an empty file');
  return secret.includes('\n') ? fail('expected one line, found several') : secret;
}
