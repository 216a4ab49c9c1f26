import { MASK } from '../../mask.js';
import type { CameraConfig, Config } from '../config.js';

/**
 * Masks user names and passwords of addresses (`mqtt://user:pass@host`) anywhere in a text. The user
 * information is taken to reach to the last `@` before white space or a quote, so that a password
 * with an `@` or `/` of its own is covered, at the price of masking too much of some addresses.
 */
export function maskUrls(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s"'<>]*@/gi, `$1${MASK}@`);
}

/** The configuration with its secrets masked: fit to be printed and published. */
export function redactConfig(config: Config): Config {
  const { mqtt, cameras } = config;
  const users = Object.keys(mqtt.embedded.users).map((name) => [name, MASK]);
  return {
    ...config,
    mqtt: {
      ...mqtt,
      url: mqtt.url === null ? null : maskAddress(mqtt.url),
      password: mqtt.password === null ? null : MASK,
      embedded: { ...mqtt.embedded, users: Object.fromEntries(users) },
    },
    cameras: Object.fromEntries(
      Object.entries(cameras).map(([name, camera]) => [name, redactCamera(camera)]),
    ),
  };
}

function redactCamera(camera: CameraConfig): CameraConfig {
  return camera.url === null ? camera : { ...camera, url: maskAddress(camera.url) };
}

/** A checked address: its user information and the values of its query, which may be tokens. */
function maskAddress(address: string): string {
  const url = new URL(address);
  if (url.username === '' && url.password === '' && url.search === '') return address;
  if (url.username !== '' || url.password !== '') url.username = MASK;
  url.password = '';
  for (const name of [...url.searchParams.keys()]) url.searchParams.set(name, MASK);
  return url.href;
}

/** Masking a text of one or two letters would mask every word. */
const SHORTEST_MASKED = 3;
/** Values in the query of an address are mostly no secrets: `channel=1`, `stream=main`. */
const SHORTEST_TOKEN = 8;

/** Every secret of the configuration as it may appear in a message, for masking logs. */
export function secretsOf(config: Config): readonly string[] {
  const secrets = new Set<string>();
  const add = (text: string | null) => {
    if (text === null || text.length < SHORTEST_MASKED) return;
    secrets.add(text);
    secrets.add(encodeURIComponent(text));
    // As it stands inside JSON.
    secrets.add(JSON.stringify(text).slice(1, -1));
  };
  add(config.mqtt.password);
  for (const hash of Object.values(config.mqtt.embedded.users)) add(hash);
  const addresses = Object.values(config.cameras).map(({ url }) => url);
  for (const address of [config.mqtt.url, ...addresses]) {
    if (address === null) continue;
    const { password, searchParams } = new URL(address);
    add(password);
    if (/%[0-9a-f]{2}/i.test(password)) add(decodeSafely(password));
    for (const value of searchParams.values()) if (value.length >= SHORTEST_TOKEN) add(value);
  }
  return [...secrets].sort((a, b) => b.length - a.length);
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Masks user information of addresses, and each of the secrets wherever it stands. */
export function createMasker(secrets: readonly string[]): (text: string) => string {
  return (text) =>
    secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), maskUrls(text));
}
