import { isLoopback, parseAddress } from '../../address.js';
import type { Config, MqttConfig } from '../config.js';
import { parseListen } from '../schema/formats.js';
import type { Report } from './problem.js';
import { userInfoOf } from './user-info.js';

/** What must fit together in the way to the broker, and in the embedded one. */
export function checkMqtt(config: Config, report: Report): void {
  checkSecretSources('username', config.mqtt, report);
  checkSecretSources('password', config.mqtt, report);
  checkTls(config.mqtt, report);
  const users = new Set(
    addressesOf(config.mqtt.url)
      .map(userInfoOf)
      .filter(({ username }) => username !== '')
      .map(({ username, password }) => `${username}:${password}`),
  );
  if (users.size > 1) {
    report(['mqtt', 'url'], 'the addresses name different users; give mqtt.username instead', []);
  }
  const { embedded } = config.mqtt;
  const { host } = parseListen(embedded.listen);
  const guarded = embedded.allow_anonymous || Object.keys(embedded.users).length > 0;
  if (isLoopback(host) || guarded) return;
  report(
    ['mqtt', 'embedded', 'listen'],
    'an address beyond this machine needs mqtt.embedded.users (or mqtt.embedded.allow_anonymous: true)',
    ['mqtt.embedded.users', 'mqtt.embedded.allow_anonymous'],
  );
}

/** Each of user name and password comes from one place only. */
function checkSecretSources(name: 'username' | 'password', mqtt: MqttConfig, report: Report): void {
  const sources = [
    mqtt[name] !== null && name,
    mqtt[`${name}_file`] !== null && `${name}_file`,
    addressesOf(mqtt.url).some((url) => userInfoOf(url)[name] !== '') && 'url',
  ].filter((source) => source !== false);
  const [first, second] = sources;
  if (second === undefined) return;
  const what = name === 'password' ? 'password' : 'user name';
  report(['mqtt', second], `the ${what} is given twice, also by mqtt.${first}`, [`mqtt.${first}`]);
}

function checkTls({ url, tls }: MqttConfig, report: Report): void {
  if ((tls.cert_file === null) !== (tls.key_file === null)) {
    const [given, missing] = tls.cert_file === null ? ['key', 'cert'] : ['cert', 'key'];
    report(['mqtt', 'tls', `${given}_file`], `needs mqtt.tls.${missing}_file as well`, [
      `mqtt.tls.${missing}_file`,
    ]);
  }
  const schemes = addressesOf(url).map(schemeOf);
  const given = (['ca_file', 'cert_file', 'key_file', 'server_name'] as const).filter(
    (key) => tls[key] !== null,
  );
  for (const key of given) {
    if (schemes.some((scheme) => ['mqtts:', 'mqtts+srv:', 'wss:'].includes(scheme))) break;
    report(['mqtt', 'tls', key], 'has no effect unless mqtt.url begins with mqtts:// or wss://', [
      'mqtt.url',
    ]);
  }
  // Over WebSockets, application protocols are the business of HTTP.
  if (tls.alpn.length > 0 && !schemes.some((scheme) => scheme.startsWith('mqtts'))) {
    report(['mqtt', 'tls', 'alpn'], 'has no effect unless mqtt.url begins with mqtts://', [
      'mqtt.url',
    ]);
  }
}

/** The addresses of mqtt.url, which may be a list. */
function addressesOf(url: MqttConfig['url']): readonly string[] {
  return url === null ? [] : typeof url === 'string' ? [url] : url;
}

function schemeOf(url: string): string {
  return parseAddress(url)?.url.protocol ?? '';
}
