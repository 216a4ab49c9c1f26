import type { CameraConfig, Config, LabelRule } from './config.js';
import { SOURCE_KINDS } from './config.js';
import {
  absolutePath,
  address,
  boolean,
  either,
  filePath,
  integer,
  label,
  list,
  listen,
  nullable,
  number,
  oneOf,
  secret,
  storage,
  text,
  topicName,
  topicPrefix,
  tuple,
} from './formats.js';
import type { Section } from './leaf.js';
import { key, optional, required } from './leaf.js';

const auto = oneOf('auto');
const score = number(0, 1);
const pixels = integer(0, 8192, 'pixels');
const length = integer(1, 8192, 'pixels');
const evenLength = {
  ...length,
  expected: 'an even number of pixels from 16 to 8192',
  fault: (value: unknown) =>
    Number.isInteger(value) &&
    Number(value) >= 16 &&
    Number(value) <= 8192 &&
    Number(value) % 2 === 0
      ? null
      : { path: [], expected: 'an even number of pixels from 16 to 8192' },
};
const modelName = text('"auto" or the name of a model', /^[A-Za-z0-9][A-Za-z0-9._-]*$/, 128);

export const CAMERA = {
  enabled: key(boolean, true, 'false keeps the camera in the file but does not open it.'),
  source: required(oneOf(...SOURCE_KINDS), 'Where the frames come from.'),
  device: key(nullable(absolutePath), null, 'Device of a v4l2 camera, e.g. /dev/video0.'),
  url: key(
    nullable(address('rtsp', 'rtsps', 'http', 'https')),
    null,
    'Address of an rtsp or mjpeg camera, or of a video. Its user name and password are never shown.',
    { address: true },
  ),
  path: key(
    nullable(filePath),
    null,
    'A video; a picture or a folder of pictures (files); a folder in which pictures appear (watch).',
    { path: true },
  ),
  loop: key(boolean, true, 'Whether a video or a set of pictures begins again at its end.'),
  size: key(
    tuple<readonly [number, number]>(
      'a list of width and height, both even, e.g. [640, 480]',
      evenLength,
      evenLength,
    ),
    [640, 480],
    'Width and height of the frames, pixels.',
  ),
  fps: key(number(0.05, 120), 10, 'Frames a second that are asked of the source.'),
  rotation: key(oneOf(0, 90, 180, 270), 0, 'Degrees clockwise.'),
  crop: key(
    nullable(
      tuple<readonly [number, number, number, number]>(
        'a list of x, y, width and height in pixels',
        pixels,
        pixels,
        length,
        length,
      ),
    ),
    null,
    'Part of the frame that is looked at: x, y, width, height, pixels.',
  ),
  mask: key(
    list(
      list(
        tuple<readonly [number, number]>('a point, e.g. [0, 240]', pixels, pixels),
        'points, e.g. [[0, 0], [64, 0], [64, 48]]',
        { min: 3, max: 256 },
      ),
      'polygons, each a list of points',
      { max: 64 },
    ),
    [],
    'Polygons that are blacked out before anything looks at the frame: lists of [x, y], pixels.',
  ),
  labels: key(either(oneOf('all'), list(label, 'labels', { min: 1 })), 'all', 'Labels that count.'),
  stall_timeout: key(
    number(1, 3600, 'seconds'),
    10,
    'A source that delivers no frame for so long is restarted, seconds.',
  ),
  motion: {
    enabled: key(boolean, false, 'Look only at frames in which something has moved.'),
    sensitivity: key(number(0, 1), 0.5, 'How little a change may be: 1 sees the least.'),
    refresh: key(number(1, 3600, 'seconds'), 10, 'Looks at least once in so many seconds.'),
  },
} as const satisfies Section<CameraConfig>;

const LABEL_RULE = {
  enter: optional(score, 'As presence.enter.'),
  stay: optional(score, 'As presence.stay.'),
  off_delay: optional(number(0, 86_400, 'seconds'), 'As presence.off_delay.'),
  min_frames: optional(integer(1, 100), 'As presence.min_frames.'),
} as const satisfies Section<LabelRule>;

/** Every key, with its default, its check and its documentation: the one source of all of them. */
export const SCHEMA = {
  node: key(nullable(topicName), null, 'Name of this board in topics. Null takes the host name.'),
  state_dir: key(
    nullable(filePath),
    null,
    'Folder of the database and the models. Null takes what systemd gives (STATE_DIRECTORY), else var in a checkout, else ~/.local/state/mobilenetd.',
    { path: true },
  ),
  models_dir: key(
    nullable(filePath),
    null,
    'Folder of the installed models. Null takes `models` in state_dir.',
    { path: true },
  ),
  model: {
    task: key(
      oneOf('detect', 'classify'),
      'detect',
      'detect finds objects and where they are; classify names the whole picture.',
    ),
    name: key(modelName, 'auto', 'Installed model to use; auto takes the best of the task.'),
    threads: key(
      either(auto, integer(1, 64)),
      'auto',
      'CPU threads of one inference; auto takes the cores less one, at most 3.',
    ),
    form: key(
      oneOf('auto', 'exact', 'symmetric', 'float32'),
      'auto',
      'Numeric form: exact has the numbers of TensorFlow Lite, symmetric is faster, float32 is the reference.',
    ),
    threshold: key(score, 0.3, 'Least score of an object that a detector reports.'),
    top: key(integer(1, 100), 5, 'Labels that a classifier reports for a frame.'),
  },
  cameras: {
    kind: 'items',
    doc: 'The cameras; the key is the name in topics.',
    names: topicName,
    item: CAMERA,
    example: `front:
  source: libcamera
  size: [640, 480]
door:
  source: rtsp
  url: rtsp://192.0.2.10/stream
  fps: 5`,
  },
  presence: {
    enter: key(score, 0.6, 'Smoothed score at which a label becomes present.'),
    stay: key(score, 0.4, 'Smoothed score above which it stays present; less than enter.'),
    off_delay: key(
      number(0, 86_400, 'seconds'),
      5,
      'How long the score must be lower before the label is gone, seconds.',
    ),
    min_frames: key(
      integer(1, 100),
      2,
      'Frames in which a label must be seen before it becomes present.',
    ),
    labels: {
      kind: 'items',
      doc: 'Labels with values of their own.',
      names: label,
      item: LABEL_RULE,
      example: 'person: { enter: 0.7, off_delay: 15 }',
    },
    groups: {
      kind: 'items',
      doc: 'Labels that count as one, under a name of their own.',
      names: topicName,
      item: key(list(label, 'labels', { min: 1 }), [], 'Members of the group.'),
      example: 'pet: [cat, dog]',
    },
  },
  governor: {
    enabled: key(
      either(auto, boolean),
      'auto',
      'auto governs where there is a temperature sensor.',
    ),
    limit: key(
      either(auto, number(40, 95, '°C')),
      'auto',
      'Temperature never to be reached, °C; auto knows the board.',
    ),
    margin: key(number(0, 20, '°C'), 1.5, 'Distance kept from the limit, °C.'),
    floor_alpha: key(number(0.1, 2), 0.25, 'Least width multiplier the governor may go down to.'),
    floor_size: key(
      integer(32, 1024, 'pixels'),
      128,
      'Least input size the governor may go down to, pixels.',
    ),
    min_fps: key(number(0.01, 120), 1, 'Least frame rate the governor may go down to.'),
    prefer: key(oneOf('accuracy', 'fps'), 'accuracy', 'What is given up last.'),
    pin: key(
      modelName,
      'auto',
      'Name of the one variant to run whatever the heat; auto lets the governor choose.',
    ),
    sysfs_root: key(filePath, '/sys', 'Where sysfs is mounted.', { path: true }),
    proc_root: key(filePath, '/proc', 'Where procfs is mounted.', { path: true }),
  },
  store: {
    commit_interval: key(
      number(0.05, 60, 'seconds'),
      2,
      'Rows are written in batches this far apart, seconds.',
    ),
    detection_interval: key(
      number(0, 3600, 'seconds'),
      1,
      'At most one row of a label and camera in this time, seconds; 0 keeps every one.',
    ),
    retention: {
      days: key(number(0.01, 36_500, 'days'), 30, 'Older rows are deleted, days.'),
      max_size: key(
        storage(10_000_000, '10MB'),
        '1GB',
        'The oldest rows are deleted when the database is larger.',
      ),
    },
  },
  mqtt: {
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
  },
  homeassistant: {
    enabled: key(boolean, true, 'Announce entities to Home Assistant.'),
    prefix: key(topicPrefix, 'homeassistant', 'Discovery prefix of Home Assistant.'),
    labels: key(
      either(oneOf('default'), list(label, 'labels', { max: 200 })),
      'default',
      'Labels that become entities; default takes those that people watch.',
    ),
  },
  status: {
    listen: key(
      nullable(listen),
      '127.0.0.1:8080',
      'Where the status page listens; null for none. Reserved: this version serves no page.',
    ),
  },
  log: {
    level: key(
      oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      'info',
      'Least severity that is logged.',
    ),
    format: key(
      oneOf('auto', 'pretty', 'json'),
      'auto',
      'auto is pretty on a terminal and JSON lines elsewhere.',
    ),
  },
} as const satisfies Section<Config>;

/** What the sections are for. */
export const SECTION_DOCS: Readonly<Record<string, string>> = {
  model: 'What the frames are shown to.',
  presence: 'From scores to presence.',
  governor: 'Keeps the board cool by changing width multiplier, input size and frame rate.',
  store: 'The SQLite database.',
  'store.retention': 'What is kept.',
  mqtt: 'Where labels and events are told.',
  'mqtt.tls': 'For mqtts and wss.',
  'mqtt.embedded': 'The broker that is started when mqtt.url is null.',
  homeassistant: 'Discovery by Home Assistant.',
  status: 'The status page.',
  log: 'What is written to stderr.',
};
