import type { CameraConfig, Config, SourceKind } from './config.js';
import { parseListen } from './formats.js';
import type { ConfigProblem } from './problem.js';

/** First levels below `<base>/<node>` that are not cameras (docs/mqtt.md). */
const FIXED_TOPICS = new Set(['state', 'info', 'health', 'governor', 'request', 'response']);

/** What each kind of source needs; any one of them is enough. */
const SOURCE_NEEDS: Readonly<Record<SourceKind, readonly ('device' | 'url' | 'path')[]>> = {
  libcamera: [],
  still: [],
  v4l2: ['device'],
  rtsp: ['url'],
  mjpeg: ['url'],
  video: ['path', 'url'],
  files: ['path'],
  watch: ['path'],
  demo: [],
};

const URL_SCHEMES: Readonly<Partial<Record<SourceKind, readonly string[]>>> = {
  rtsp: ['rtsp:', 'rtsps:'],
  mjpeg: ['http:', 'https:'],
};

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
  for (const [name, camera] of Object.entries(config.cameras)) checkCamera(name, camera, report);
  checkPresence(config, report);
  checkMqtt(config, report);
  return problems;
}

function checkCamera(name: string, camera: CameraConfig, report: Report): void {
  const path = ['cameras', name];
  if (FIXED_TOPICS.has(name)) {
    report(path, `expected another name; the topic "${name}" has a meaning of its own`);
  }
  checkSource(camera, path, report);
  checkRegion(camera, path, report);
}

function checkSource(camera: CameraConfig, path: readonly string[], report: Report): void {
  const { source } = camera;
  const sourceKey = [...path, 'source'].join('.');
  const needs = SOURCE_NEEDS[source];
  const given = needs.filter((key) => camera[key] !== null);
  if (needs.length > 0 && given.length === 0) {
    const needed = needs.map((key) => [...path, key].join('.'));
    report(path, `source ${source} needs ${needs.join(' or ')}`, [sourceKey, ...needed]);
  }
  if (given.length > 1) {
    report(path, `source ${source} takes ${needs.join(' or ')}, not both`, [sourceKey]);
  }
  for (const key of ['device', 'url', 'path'] as const) {
    if (camera[key] === null || needs.includes(key)) continue;
    report([...path, key], `source ${source} has no ${key}; remove it`, [sourceKey]);
  }
  const schemes = URL_SCHEMES[source];
  if (schemes !== undefined && camera.url !== null && !schemes.includes(schemeOf(camera.url))) {
    const expected = schemes.map((scheme) => `${scheme}//`).join(' or ');
    report([...path, 'url'], `source ${source} needs an address that begins with ${expected}`, [
      sourceKey,
    ]);
  }
}

function checkRegion(camera: CameraConfig, path: readonly string[], report: Report): void {
  const [width, height] = camera.size;
  const sizeKey = [...path, 'size'].join('.');
  const fits = (x: number, y: number) => x <= width && y <= height;
  if (camera.crop !== null) {
    const [x, y, cropWidth, cropHeight] = camera.crop;
    if (!fits(x + cropWidth, y + cropHeight)) {
      report([...path, 'crop'], `expected a part of the frame of ${width}×${height}`, [sizeKey]);
    }
  }
  if (!camera.mask.every((polygon) => polygon.every(([x, y]) => fits(x, y)))) {
    report([...path, 'mask'], `expected points in the frame of ${width}×${height}`, [sizeKey]);
  }
}

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

function checkMqtt(config: Config, report: Report): void {
  const { url, username, password, password_file: file, tls, embedded } = config.mqtt;
  const user = userInfoOf(url);
  const sources = [
    password !== null && 'password',
    file !== null && 'password_file',
    user.password !== '' && 'url',
  ].filter((source) => source !== false);
  const [first, second] = sources;
  if (second !== undefined) {
    report(['mqtt', second], `the password is given twice, also by mqtt.${first}`, [
      `mqtt.${first}`,
    ]);
  }
  // MQTT 3.1.1, 3.1.2.9: a password needs a user name.
  if (first !== undefined && username === null && user.username === '') {
    report(['mqtt', first], 'a password needs mqtt.username', ['mqtt.username', 'mqtt.url']);
  }
  if ((tls.cert_file === null) !== (tls.key_file === null)) {
    const [given, missing] = tls.cert_file === null ? ['key', 'cert'] : ['cert', 'key'];
    report(['mqtt', 'tls', `${given}_file`], `needs mqtt.tls.${missing}_file as well`, [
      `mqtt.tls.${missing}_file`,
    ]);
  }
  const secure = url !== null && ['mqtts:', 'wss:'].includes(schemeOf(url));
  for (const key of ['ca_file', 'cert_file', 'key_file'] as const) {
    if (tls[key] === null || secure) continue;
    report(['mqtt', 'tls', key], 'has no effect unless mqtt.url begins with mqtts:// or wss://', [
      'mqtt.url',
    ]);
  }
  const listenPath = ['mqtt', 'embedded', 'listen'];
  if (!isLoopback(parseListen(embedded.listen).host)) {
    report(
      listenPath,
      'expected a loopback address: the embedded broker lets in anyone; use a broker of your own (mqtt.url) for other machines',
    );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function schemeOf(url: string): string {
  return new URL(url).protocol;
}

function userInfoOf(url: string | null): { readonly username: string; readonly password: string } {
  return url === null ? { username: '', password: '' } : new URL(url);
}
