import { codedError } from '../errors.js';

/** First levels under `<base>/<node>` that are not cameras (docs/mqtt.md). */
export const FIXED_FIRST = [
  'state',
  'info',
  'health',
  'governor',
  'update',
  'request',
  'response',
] as const;
/** Levels under a camera that are not labels. */
export const FIXED_SECOND = [
  'status',
  'label',
  'labels',
  'events',
  'snapshot',
  'detect',
  'threshold',
] as const;
/** Bytes of one topic level; MQTT allows 65 535 for all levels together. */
const MAX_LEVEL_BYTES = 200;

export interface CameraTopics {
  readonly status: string;
  /** Why it is not online, and since when. */
  readonly statusAttributes: string;
  readonly label: string;
  readonly labels: string;
  readonly events: string;
  readonly snapshot: string;
  readonly detectSet: string;
  readonly detectState: string;
  readonly thresholdSet: string;
  readonly thresholdState: string;
  /** `ON` or `OFF` of a label, given as the model names it. */
  presence(label: string): string;
  attributes(label: string): string;
}

/** The topics of one board; README's table in code. */
export interface Topics {
  /** `<base>/<node>`. */
  readonly root: string;
  readonly state: string;
  readonly info: string;
  readonly health: string;
  readonly governor: string;
  readonly pinSet: string;
  readonly pinState: string;
  /** Target temperature of the governor, °C, or `auto`. */
  readonly limitSet: string;
  readonly limitState: string;
  /** Installed and latest version, for Home Assistant's update entity. */
  readonly update: string;
  camera(name: string): CameraTopics;
  request(verb: string): string;
  response(verb: string): string;
  /** Everything a camera may have retained directly under its name. */
  readonly cameraFilter: string;
  /** Attributes of labels. */
  readonly attributesFilter: string;
  /** States of a camera's commands. */
  readonly statesFilter: string;
  /** Every topic that commands arrive on. */
  readonly commandFilters: readonly string[];
}

/**
 * A name as one level of a topic: the first of comma-separated names, Unicode letters and digits
 * kept, white space and characters with a meaning in topics (`+ # / $`, controls) made `_`.
 * Of a name of nothing else, the bytes in hexadecimal are what is left.
 */
export function topicSafe(name: string): string {
  const first = name.split(',', 1)[0] ?? '';
  const safe = first
    .normalize('NFC')
    .replace(/[\s+#/$\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]+/gu, '_')
    .replace(/^_+|_+$/g, '');
  if (safe === '') return `x${Buffer.from(name).toString('hex').slice(0, 32)}`;
  return cutToBytes(safe, MAX_LEVEL_BYTES);
}

function cutToBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let cut = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > limit) break;
    cut += character;
  }
  return cut;
}

/**
 * Topics of a board. `base` may have several levels, `node` is one.
 *
 * Throws MND_MQTT_TOPIC for wildcards, empty levels or a leading `$` in them.
 */
export function createTopics(options: { readonly base: string; readonly node: string }): Topics {
  const { base, node } = options;
  checkLevels('mqtt.base', base.split('/'));
  checkLevels('node', [node]);
  const root = `${base}/${node}`;
  const cameras = new Map<string, CameraTopics>();
  return {
    root,
    state: `${root}/state`,
    info: `${root}/info`,
    health: `${root}/health`,
    governor: `${root}/governor`,
    pinSet: `${root}/governor/pin/set`,
    pinState: `${root}/governor/pin/state`,
    limitSet: `${root}/governor/limit/set`,
    limitState: `${root}/governor/limit/state`,
    update: `${root}/update`,
    camera(name) {
      const known = cameras.get(name);
      if (known !== undefined) return known;
      const made = cameraTopics(`${root}/${topicSafe(name)}`);
      cameras.set(name, made);
      return made;
    },
    request: (verb) => `${root}/request/${verb}`,
    response: (verb) => `${root}/response/${verb}`,
    cameraFilter: `${root}/+/+`,
    attributesFilter: `${root}/+/+/attributes`,
    statesFilter: `${root}/+/+/state`,
    commandFilters: [`${root}/+/+/set`, `${root}/request/+`],
  };
}

function cameraTopics(root: string): CameraTopics {
  return {
    status: `${root}/status`,
    statusAttributes: `${root}/status/attributes`,
    label: `${root}/label`,
    labels: `${root}/labels`,
    events: `${root}/events`,
    snapshot: `${root}/snapshot`,
    detectSet: `${root}/detect/set`,
    detectState: `${root}/detect/state`,
    thresholdSet: `${root}/threshold/set`,
    thresholdState: `${root}/threshold/state`,
    presence: (label) => `${root}/${topicSafe(label)}`,
    attributes: (label) => `${root}/${topicSafe(label)}/attributes`,
  };
}

function checkLevels(subject: string, levels: readonly string[]): void {
  for (const level of levels) {
    const unsafe = level === '' || /[+#/\p{Cc}\p{Cs}]/u.test(level) || level.startsWith('$');
    if (!unsafe && Buffer.byteLength(level) <= MAX_LEVEL_BYTES) continue;
    throw codedError('MND_MQTT_TOPIC', {
      subject,
      expected: 'topic levels without "+", "#", a leading "$" or nothing between two "/"',
      found: JSON.stringify(levels.join('/')),
      next: 'set another one',
    });
  }
}

/**
 * Throws MND_MQTT_TOPIC when two cameras would share topics, or a camera those of the board itself.
 */
export function checkCameraNames(names: Iterable<string>): void {
  checkNames('camera', names, FIXED_FIRST);
}

/**
 * Throws MND_MQTT_TOPIC when a label would share its topic with another one or with a camera's fixed
 * topics. Give it the labels that may become topics: those of the model that are kept, and groups.
 */
export function checkLabelNames(names: Iterable<string>): void {
  checkNames('label', names, FIXED_SECOND);
}

function checkNames(what: string, names: Iterable<string>, fixed: readonly string[]): void {
  const owners = new Map<string, string>();
  for (const name of names) {
    const level = topicSafe(name);
    const owner = owners.get(level);
    if (owner === name) continue;
    const other = fixed.includes(level) ? 'a topic that has another meaning' : owner;
    if (other !== undefined) {
      throw codedError('MND_MQTT_TOPIC', {
        subject: `${what} ${JSON.stringify(name)}`,
        expected: 'a topic of its own',
        found: `"${level}", which is ${other === owner ? `that of ${JSON.stringify(owner)}` : other}`,
        next: what === 'camera' ? 'rename the camera' : 'put it in a group of another name',
      });
    }
    owners.set(level, name);
  }
}

/** True if an MQTT topic filter (`+` one level, `#` the rest) matches a topic. */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [index, level] of wanted.entries()) {
    // MQTT 4.7.2: a wildcard in front does not match topics of the broker.
    if (index === 0 && topic.startsWith('$') && (level === '#' || level === '+')) return false;
    if (level === '#') return true;
    if (index >= levels.length) return false;
    if (level !== '+' && level !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}
