import { isDeepStrictEqual } from 'node:util';
import { isLoopback, parseAddress } from '../../address.js';
import { coordinatesFault, isShare } from '../../camera/region.js';
import { faultsOf, SOURCE_KEYS, SOURCES } from '../../camera/registry.js';
import { followsSun } from '../../camera/schedule.js';
import { FIXED_FIRST } from '../../mqtt/topics.js';
import { isLeaf } from '../../schema/section.js';
import { databaseFile, LONGEST_PATH } from '../../store/path.js';
import { leavesRoom, ROOM } from '../../thermal/limit.js';
import type { CameraConfig, Config, MqttConfig } from '../config.js';
import { parseListen } from '../schema/formats.js';
import { keysOf } from '../schema/keys.js';
import type { ConfigProblem } from './problem.js';

/** Reports a problem at a dotted key, unless one of the keys it depends on has a problem already. */
type Report = (path: readonly string[], message: string, dependsOn?: readonly string[]) => void;

export interface RuleOptions {
  readonly originOf: (path: readonly string[]) => string;
  readonly faulty: ReadonlySet<string>;
}

/**
 * Rules between keys, which no format of a single key can check. `config` is as it was written: user
 * name and password still stand in the broker's address.
 */
export function checkRules(config: Config, options: RuleOptions): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report: Report = (path, message, dependsOn = []) => {
    const key = path.join('.');
    if ([key, ...dependsOn].some((dependency) => options.faulty.has(dependency))) return;
    problems.push({ where: options.originOf(path), key, message });
  };
  for (const name of Object.keys(config.cameras)) checkCamera(name, config, report);
  checkFolders(config, report);
  checkPresence(config, report);
  checkGovernor(config, report);
  checkMqtt(config, report);
  checkPage(config, report);
  return problems;
}

/** Bytes of the longest name that a file system takes for a file or a folder. */
const LONGEST_NAME = 255;

/** A database whose path is too long for SQLite could not be opened, nor folders made. */
function checkFolders(config: Config, report: Report): void {
  for (const key of ['state_dir', 'models_dir'] as const) {
    const longest = Math.max(...config[key].split('/').map((name) => Buffer.byteLength(name)));
    if (longest > LONGEST_NAME) {
      report(
        [key],
        `expected folders with names of at most ${LONGEST_NAME} bytes; found one of ${longest}`,
      );
    }
  }
  const bytes = Buffer.byteLength(databaseFile(config.state_dir));
  if (bytes <= LONGEST_PATH) return;
  const most = LONGEST_PATH - (bytes - Buffer.byteLength(config.state_dir));
  const found = Buffer.byteLength(config.state_dir);
  report(
    ['state_dir'],
    `expected a path of at most ${most} bytes, as SQLite takes it; found ${found}`,
  );
}

function checkCamera(name: string, config: Config, report: Report): void {
  const camera = config.cameras[name];
  if (camera === undefined) return;
  const path = ['cameras', name];
  if (FIXED_FIRST.some((level) => level === name)) {
    report(path, `expected another name; the topic "${name}" has a meaning of its own`);
  }
  checkSource(camera, path, report);
  checkRegion(camera, path, report);
  if (config.location === null && followsSun(camera.schedule)) {
    const message = 'sunrise and sunset need location: [latitude, longitude]';
    report([...path, 'schedule'], message, ['location']);
  }
  checkThresholds(config, camera, path, report);
}

function checkSource(camera: CameraConfig, path: readonly string[], report: Report): void {
  const { source } = camera;
  const sourceKey = [...path, 'source'].join('.');
  const { needs, keys } = SOURCES[source];
  const given = needs.filter((key) => camera[key] !== null);
  if (needs.length > 0 && given.length === 0) {
    const needed = needs.map((key) => [...path, key].join('.'));
    report(path, `source ${source} needs ${needs.join(' or ')}`, [sourceKey, ...needed]);
  }
  if (given.length > 1) {
    report(path, `source ${source} takes ${needs.join(' or ')}, not both`, [sourceKey]);
  }
  for (const { dotted, path: below, node } of keysOf(SOURCE_KEYS)) {
    const [first = ''] = below;
    const value = valueAt(camera, below);
    const isUnset = isLeaf(node) && isDeepStrictEqual(value, node.default);
    if (isUnset || Object.hasOwn(keys, first)) continue;
    report([...path, ...below], `source ${source} has no ${dotted.split('.')[0]}; remove it`, [
      sourceKey,
    ]);
  }
  checkLogin(camera, path, report);
  for (const { key, expected } of faultsOf(camera)) {
    const keyPath = [...path, ...key.split('.')];
    report(keyPath, `source ${source}: expected ${expected}`, [sourceKey]);
  }
  if (camera.time_zone !== null && camera.schedule.length === 0) {
    report([...path, 'time_zone'], 'has no effect without a schedule', [
      [...path, 'schedule'].join('.'),
    ]);
  }
}

/** Each of user name and password comes from one place only, and a password needs a user. */
function checkLogin(camera: CameraConfig, path: readonly string[], report: Report): void {
  const { url, username, password, password_file: file } = camera;
  const keyOf = (key: string): string => [...path, key].join('.');
  const user = userInfoOf(url);
  if (username !== null && user.username !== '') {
    report([...path, 'username'], `the user name is given twice, also by ${keyOf('url')}`, [
      keyOf('url'),
    ]);
  }
  const places = [
    password !== null && 'password',
    file !== null && 'password_file',
    user.password !== '' && 'url',
  ].filter((place) => place !== false);
  const [first, second] = places;
  if (second !== undefined) {
    report([...path, second], `the password is given twice, also by ${keyOf(first ?? '')}`, [
      keyOf(first ?? ''),
    ]);
  }
  if (first !== undefined && username === null && user.username === '') {
    report([...path, first], `a password needs ${keyOf('username')}`, [
      keyOf('username'),
      keyOf('url'),
    ]);
  }
}

function valueAt(camera: CameraConfig, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (section, name) => (section as Readonly<Record<string, unknown>>)[name],
    camera,
  );
}

/** The camera's own thresholds, with the general ones where it has none. */
function checkThresholds(
  config: Config,
  camera: CameraConfig,
  path: readonly string[],
  report: Report,
): void {
  const own = camera.presence;
  if (own.enter === null && own.stay === null) return;
  const enter = own.enter ?? config.presence.enter;
  const stay = own.stay ?? config.presence.stay;
  if (stay < enter) return;
  const keys = ['enter', 'stay'].map((key) => [...path, 'presence', key].join('.'));
  report(
    [...path, 'presence', own.stay === null ? 'enter' : 'stay'],
    `stay (${stay}) must be less than enter (${enter})`,
    ['presence.enter', 'presence.stay', ...keys],
  );
}

function checkRegion(camera: CameraConfig, path: readonly string[], report: Report): void {
  const [width, height] = camera.size;
  const sizeKey = [...path, 'size'].join('.');
  const cropFault = camera.crop === null ? null : coordinatesFault(camera.crop);
  if (cropFault !== null) report([...path, 'crop'], `expected ${cropFault}`);
  else if (camera.crop !== null) {
    const [x, y, across, down] = camera.crop;
    const [most, lowest] = isShare(camera.crop) ? [1, 1] : [width, height];
    const isEmpty = across === 0 || down === 0;
    if (isEmpty || x + across > most + ROUNDING || y + down > lowest + ROUNDING) {
      report([...path, 'crop'], `expected a part of the frame of ${width}×${height}`, [sizeKey]);
    }
  }
  for (const polygon of camera.mask) {
    const fault = coordinatesFault(polygon.flat());
    if (fault !== null) report([...path, 'mask'], `expected ${fault}`);
    else if (!polygon.every(([x, y]) => x <= width && y <= height)) {
      report([...path, 'mask'], `expected points in the frame of ${width}×${height}`, [sizeKey]);
      return;
    }
  }
}

/** 0.35 + 0.65 may come out a little over 1. */
const ROUNDING = 1e-9;

function checkPresence(config: Config, report: Report): void {
  const { enter, stay, labels } = config.presence;
  const general = ['presence.enter', 'presence.stay'];
  if (stay >= enter) {
    report(
      ['presence', 'stay'],
      `expected less than presence.enter (${enter}); found ${stay}`,
      general,
    );
  }
  for (const [name, rule] of Object.entries(labels)) {
    if (rule.enter === undefined && rule.stay === undefined) continue;
    const own = { enter: rule.enter ?? enter, stay: rule.stay ?? stay };
    if (own.stay < own.enter) continue;
    const path = ['presence', 'labels', name];
    const keys = ['enter', 'stay'].map((key) => [...path, key].join('.'));
    report(
      [...path, rule.stay === undefined ? 'enter' : 'stay'],
      `stay (${own.stay}) must be less than enter (${own.enter})`,
      [...general, ...keys],
    );
  }
}

function checkGovernor({ governor }: Config, report: Report): void {
  const { limit, margin } = governor;
  // What the boards' own limits are leaves room for every margin.
  if (limit === 'auto' || leavesRoom(limit, margin)) return;
  report(['governor', 'limit'], `expected ${ROOM}; found ${limit} − ${margin}`, [
    'governor.margin',
  ]);
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

function checkMqtt(config: Config, report: Report): void {
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

function checkPage({ status }: Config, report: Report): void {
  const { listen, users, trusted_proxies: proxies, tls } = status;
  if ((tls.cert_file === null) !== (tls.key_file === null)) {
    const [given, missing] = tls.cert_file === null ? ['key', 'cert'] : ['cert', 'key'];
    report(['status', 'tls', `${given}_file`], `needs status.tls.${missing}_file as well`);
  }
  if (listen === null || isLoopback(parseListen(listen).host)) return;
  if (Object.keys(users).length + proxies.length > 0) return;
  report(
    ['status', 'listen'],
    'an address beyond this machine needs status.users (mobilenetd config hash-password) or status.trusted_proxies',
    ['status.users', 'status.trusted_proxies'],
  );
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

const NOBODY = { username: '', password: '' };

function userInfoOf(url: string | null): { readonly username: string; readonly password: string } {
  return url === null ? NOBODY : (parseAddress(url)?.url ?? NOBODY);
}
