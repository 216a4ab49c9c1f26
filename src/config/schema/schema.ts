import { THREADS_RANGE, THRESHOLD_RANGE } from '../../inference/ranges.js';
import { ruleKeys } from '../../notify/rule-keys.js';
import {
  auto,
  boolean,
  either,
  integer,
  list,
  nullable,
  number,
  oneOf,
  tuple,
  within,
} from '../../schema/format.js';
import type { Node, Section } from '../../schema/section.js';
import { derived, items, key, optional, optionalKeys } from '../../schema/section.js';
import { filePath, label, topicName } from '../../schema/text.js';
import { modelName, scheduleSpan, storage, title } from './formats.js';
import { CAMERA } from './sections/camera.js';
import { GOVERNOR } from './sections/governor.js';
import { HOME_ASSISTANT, MQTT } from './sections/mqtt.js';
import { CONTROL, DIAGNOSTICS } from './sections/operations.js';
import { SECOND } from './sections/second.js';
import { STATUS } from './sections/status.js';
import { TEACH } from './sections/teach.js';

/** Boards with an overlay in `config/`. */
export const BOARD_NAMES = ['pi3', 'pi4', 'pi5'] as const;

/** The section of a file with what all cameras share. */
export const CAMERA_DEFAULTS = 'camera_defaults';

const score = number(0, 1);

const LABEL_RULE = {
  enter: optional(score, 'As presence.enter.'),
  stay: optional(score, 'As presence.stay.'),
  off_delay: optional(number(0, 86_400, 'seconds'), 'As presence.off_delay.'),
  min_frames: optional(integer(1, 100), 'As presence.min_frames.'),
} as const satisfies Section;

/** Every key, with its default, its check and its documentation: the one source of all of them. */
export const SCHEMA = {
  board: key(
    oneOf('auto', 'none', ...BOARD_NAMES),
    'auto',
    'Defaults for a board, config/<board>.yaml; auto asks the device tree, none takes no overlay.',
  ),
  node: derived(topicName, 'Name of this board in topics. Null takes the host name.'),
  name: key(nullable(title), null, 'What people call this board, any text. Null takes the node.'),
  state_dir: derived(
    filePath,
    'Folder of the database and the models. Null takes what systemd gives (STATE_DIRECTORY), else var in a checkout, else /var/lib/mobilenetd where the service of the system has it and no other file is read, else ~/.local/state/mobilenetd.',
    { path: true },
  ),
  models_dir: derived(
    filePath,
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
      either(auto, integer(THREADS_RANGE.min, THREADS_RANGE.max)),
      'auto',
      'CPU threads of one inference; auto takes what this board measured, before that the cores less one, at most 3.',
    ),
    form: key(
      oneOf('auto', 'exact', 'symmetric', 'reduced', 'float32'),
      'auto',
      'Numeric form: exact has the numbers of TensorFlow Lite, symmetric and reduced are faster, float32 is the reference; auto takes what this board measured to be fastest.',
    ),
    threshold: key(
      within(THRESHOLD_RANGE),
      0.3,
      'Least score of an object that a detector reports.',
    ),
    top: key(integer(1, 100), 5, 'Labels that a classifier reports for a frame.'),
    second: SECOND,
  },
  cameras: items(CAMERA, {
    doc: 'The cameras; the key is the name in topics.',
    names: topicName,
    example: `front:
  source: libcamera
  size: [640, 480]
door:
  source: rtsp
  url: rtsp://192.0.2.10/stream
  fps: 5`,
  }),
  location: key(
    nullable(
      tuple<readonly [latitude: number, longitude: number]>(
        'a list of latitude and longitude, e.g. [52.5, 13.4]',
        number(-90, 90),
        number(-180, 180),
      ),
    ),
    null,
    'Where the board is, for sunrise and sunset in schedules: degrees north and east. It is told to nobody.',
    { sensitive: true },
  ),
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
    labels: items(LABEL_RULE, {
      doc: 'Labels with values of their own.',
      names: label,
      example: 'person: { enter: 0.7, off_delay: 15 }',
    }),
    groups: items(key(list(label, 'labels', { min: 1 }), [], 'Members of the group.'), {
      doc: 'Labels that count as one, under a name of their own.',
      names: topicName,
      example: 'pet: [cat, dog]',
    }),
  },
  governor: GOVERNOR,
  teach: TEACH,
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
    pictures: {
      enabled: key(boolean, true, 'Keep a picture of each event, of its best frame.'),
      days: key(number(0.01, 36_500, 'days'), 7, 'Older pictures are deleted, days.'),
      max_size: key(
        storage(1_000_000, '1MB'),
        '200MB',
        'The oldest pictures are deleted when all together are larger.',
      ),
      width: key(integer(64, 4096, 'pixels'), 640, 'Pictures that are wider are made smaller.'),
      quality: key(integer(20, 95), 80, 'Quality of the JPEGs.'),
      draw: key(boolean, false, 'Draw the box and the label into the picture.'),
    },
    retention: {
      days: key(number(0.01, 36_500, 'days'), 30, 'Older rows are deleted, days.'),
      max_size: key(
        storage(10_000_000, '10MB'),
        '1GB',
        'The oldest rows are deleted when the database is larger.',
      ),
    },
  },
  mqtt: MQTT,
  homeassistant: HOME_ASSISTANT,
  notify: items(ruleKeys(scheduleSpan), {
    doc: 'Rules: what is told to whom, and when; the key is the name of the rule. A list of rules is taken, too (each may have a name).',
    names: topicName,
    isListed: true,
    example: `person_at_night:
  when:
    label: person
    schedule: ["sunset - sunrise"]
  to:
    ntfy:
      topic_file: /etc/mobilenetd/ntfy-topic`,
  }),
  status: STATUS,
  control: CONTROL,
  diagnostics: DIAGNOSTICS,
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
} as const satisfies Section;

/**
 * What a file may hold: besides the keys of the configuration, what all cameras share. A camera's own
 * key goes before; a camera whose source has no such key is left alone.
 */
export const FILE_SCHEMA: Section = Object.fromEntries(
  Object.entries(SCHEMA).flatMap(([name, node]: [string, Node]) =>
    name === 'cameras'
      ? [
          [CAMERA_DEFAULTS, optionalKeys(CAMERA)],
          [name, node],
        ]
      : [[name, node]],
  ),
);

/** What the sections are for. */
export const SECTION_DOCS: Readonly<Record<string, string>> = {
  model: 'What the frames are shown to.',
  'model.second':
    'A classifier that says more of the objects that the detector finds: sub_label and sub_score of events.',
  [CAMERA_DEFAULTS]: 'Keys that all cameras share; those of a camera itself go before.',
  presence: 'From scores to presence.',
  governor: 'Keeps the board cool by changing width multiplier, input size and frame rate.',
  'cameras.NAME.controls': 'Settings of a libcamera camera; null leaves one to the camera.',
  'cameras.NAME.presence': 'Thresholds of this camera; null takes the general one.',
  'cameras.NAME.motion': 'Looks only where something moves.',
  teach:
    'Labels that are taught on this board from pictures (docs/teach.md), in the folder teach of state_dir.',
  store: 'The SQLite database.',
  'store.pictures': 'A picture of each event, in the folder pictures of state_dir.',
  'store.retention': 'What is kept.',
  mqtt: 'Where labels and events are told.',
  'mqtt.tls': 'For mqtts and wss.',
  'mqtt.embedded': 'The broker that is started when mqtt.url is null.',
  homeassistant: 'Discovery by Home Assistant.',
  'notify.NAME.when': 'All of it must be so.',
  'notify.NAME.to': 'One channel or several; each is told by itself.',
  'notify.NAME.to.webhook': 'A request to an address of yours.',
  'notify.NAME.to.ntfy': 'ntfy, on phones and desktops.',
  'notify.NAME.to.telegram': 'A bot of Telegram.',
  'notify.NAME.to.homeassistant': 'An event in Home Assistant, over MQTT.',
  'notify.NAME.to.command': 'A program of yours.',
  status: 'The page and its API.',
  'status.metrics': 'For Prometheus.',
  'status.tls': 'https without a proxy.',
  control: 'The local socket of `mobilenetd status` and `mobilenetd ctl`.',
  diagnostics: 'For the case that something goes wrong.',
  log: 'What is written to stderr.',
};
