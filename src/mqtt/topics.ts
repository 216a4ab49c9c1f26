import { codedError } from '../errors.js';

/** How a topic is published. A retained one says what is so; the others say what happens. */
export interface TopicForm {
  /** Levels below the board's or the camera's own. */
  readonly path: string;
  readonly qos: 0 | 1;
  readonly retained: boolean;
  readonly content: 'text' | 'json' | 'jpeg';
  /** Seconds after which an MQTT 5 broker forgets it. */
  readonly expiry?: number;
}

const TEXT = { qos: 1, retained: true, content: 'text' } as const;
const JSON_STATE = { qos: 1, retained: true, content: 'json' } as const;
/** What is out of date a moment later is not worth an acknowledgement. */
const JSON_READING = { qos: 0, retained: true, content: 'json' } as const;
const COMMAND = { qos: 1, retained: false, content: 'text' } as const;

/**
 * Topics below `<base>/<node>`. A new topic is a row here and one in docs/topics.json, and whoever
 * publishes it: `publisher.setBoard(name, payload)`.
 */
export const BOARD_TOPICS = {
  state: { path: 'state', ...TEXT },
  info: { path: 'info', ...JSON_STATE },
  health: { path: 'health', ...JSON_READING },
  governor: { path: 'governor', ...JSON_STATE },
  pinSet: { path: 'governor/pin/set', ...COMMAND },
  pinState: { path: 'governor/pin/state', ...TEXT },
  /** Target temperature of the governor, °C, or `auto`. */
  limitSet: { path: 'governor/limit/set', ...COMMAND },
  limitState: { path: 'governor/limit/state', ...TEXT },
  /** What rules tell Home Assistant. */
  notify: { path: 'notify', ...JSON_STATE, retained: false },
  /** Installed and latest version, for Home Assistant's update entity. */
  update: { path: 'update', ...JSON_STATE },
} as const satisfies Readonly<Record<string, TopicForm>>;

/** Topics below `<base>/<node>/<camera>`; as {@link BOARD_TOPICS}, with `publisher.setCamera`. */
export const CAMERA_TOPICS = {
  status: { path: 'status', ...TEXT },
  /** Why it is not online, and since when. */
  statusAttributes: { path: 'status/attributes', ...JSON_READING },
  label: { path: 'label', ...TEXT },
  /** A picture of the scene in words that is an hour old says nothing. */
  labels: { path: 'labels', ...JSON_READING, expiry: 3600 },
  events: { path: 'events', ...JSON_STATE, retained: false },
  snapshot: { path: 'snapshot', qos: 0, retained: true, content: 'jpeg' },
  /** What the snapshot shows: event, label, score, box, time. */
  snapshotAttributes: { path: 'snapshot/attributes', ...JSON_READING },
  detectSet: { path: 'detect/set', ...COMMAND },
  detectState: { path: 'detect/state', ...TEXT },
  thresholdSet: { path: 'threshold/set', ...COMMAND },
  thresholdState: { path: 'threshold/state', ...TEXT },
} as const satisfies Readonly<Record<string, TopicForm>>;

/** Topics below `<base>/<node>/<camera>/<label>`; `presence` is the level of the label itself. */
export const LABEL_TOPICS = {
  /** `ON` or `OFF`. */
  presence: { path: '', ...TEXT },
  attributes: { path: 'attributes', ...JSON_READING },
  /** Events that have begun since local midnight. */
  countToday: { path: 'count_today', qos: 0, retained: true, content: 'text' },
} as const satisfies Readonly<Record<string, TopicForm>>;

/** Topics below `<base>/<node>/<camera>/<zone>/<label>`; as {@link LABEL_TOPICS}. */
export const ZONE_TOPICS = {
  /** `ON` or `OFF`. */
  zonePresence: { path: '', ...TEXT },
  zoneAttributes: { path: 'attributes', ...JSON_READING },
} as const satisfies Readonly<Record<string, TopicForm>>;

export type BoardTopic = keyof typeof BOARD_TOPICS;
export type CameraTopic = keyof typeof CAMERA_TOPICS;
export type LabelTopic = keyof typeof LABEL_TOPICS;
export type ZoneTopic = keyof typeof ZONE_TOPICS;

/** First levels under `<base>/<node>` that are not cameras (docs/mqtt.md). */
export const FIXED_FIRST: readonly string[] = firstLevels(BOARD_TOPICS, 'request', 'response');
/** Levels under a camera that are not labels. */
export const FIXED_SECOND: readonly string[] = firstLevels(CAMERA_TOPICS);

function firstLevels(table: Readonly<Record<string, TopicForm>>, ...more: string[]): string[] {
  const levels = Object.values(table).map(({ path }) => path.split('/', 1)[0] ?? '');
  return [...new Set([...levels, ...more])];
}

/** Bytes of one topic level; MQTT allows 65 535 for all levels together. */
const MAX_LEVEL_BYTES = 200;

/** The topics of one camera, and of its labels as the model names them. */
export type CameraTopics = Readonly<Record<CameraTopic, string>> &
  Readonly<Record<LabelTopic, (label: string) => string>> &
  Readonly<Record<ZoneTopic, (zone: string, label: string) => string>>;

/** The topics of one board: docs/mqtt.md's table in code. */
export type Topics = Readonly<Record<BoardTopic, string>> & {
  /** `<base>/<node>`. */
  readonly root: string;
  camera(name: string): CameraTopics;
  request(verb: string): string;
  response(verb: string): string;
  /** Everything a camera may have retained directly under its name. */
  readonly cameraFilter: string;
  /** Below labels and zones: attributes, daily counts, states of commands, labels in zones. */
  readonly labelFilter: string;
  /** Attributes of labels in zones. */
  readonly zoneAttributesFilter: string;
  /** Every topic that commands arrive on. */
  readonly commandFilters: readonly string[];
};

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
    ...below(root, BOARD_TOPICS),
    root,
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
    labelFilter: `${root}/+/+/+`,
    zoneAttributesFilter: `${root}/+/+/+/attributes`,
    commandFilters: [`${root}/+/+/set`, `${root}/request/+`],
  };
}

function cameraTopics(root: string): CameraTopics {
  return {
    ...below(root, CAMERA_TOPICS),
    presence: (label) => `${root}/${topicSafe(label)}`,
    attributes: (label) => `${root}/${topicSafe(label)}/${LABEL_TOPICS.attributes.path}`,
    countToday: (label) => `${root}/${topicSafe(label)}/${LABEL_TOPICS.countToday.path}`,
    zonePresence: (zone, label) => `${root}/${topicSafe(zone)}/${topicSafe(label)}`,
    zoneAttributes: (zone, label) =>
      `${root}/${topicSafe(zone)}/${topicSafe(label)}/${ZONE_TOPICS.zoneAttributes.path}`,
  };
}

/** The topics of a table below a root. */
function below<Name extends string>(
  root: string,
  table: Readonly<Record<Name, TopicForm>>,
): Record<Name, string> {
  const names = Object.keys(table) as Name[];
  const entries = names.map((name) => [name, `${root}/${table[name].path}`]);
  return Object.fromEntries(entries) as Record<Name, string>;
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

/** Throws MND_MQTT_TOPIC when a zone would share its topics with a label, or with fixed ones. */
export function checkZoneNames(zones: Iterable<string>, labels: Iterable<string>): void {
  const levels = new Map([...labels].map((label) => [topicSafe(label), label]));
  for (const zone of zones) {
    const label = levels.get(topicSafe(zone));
    if (label === undefined) continue;
    throw codedError('MND_MQTT_TOPIC', {
      subject: `zone ${JSON.stringify(zone)}`,
      expected: 'a topic of its own',
      found: `"${topicSafe(zone)}", which is that of the label ${JSON.stringify(label)}`,
      next: 'rename the zone',
    });
  }
  checkNames('zone', zones, FIXED_SECOND);
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
        next: what === 'label' ? 'put it in a group of another name' : `rename the ${what}`,
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
