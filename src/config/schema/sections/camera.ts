import { SOURCE_KEYS, SOURCE_KINDS } from '../../../camera/registry.js';
import {
  boolean,
  either,
  even,
  integer,
  list,
  nullable,
  number,
  oneOf,
  tuple,
  wordOf,
} from '../../../schema/format.js';
import type { Section } from '../../../schema/section.js';
import { items, key, optional, required } from '../../../schema/section.js';
import { label, timeZone, topicName } from '../../../schema/text.js';
import { scheduleSpan, title } from '../formats.js';

const score = number(0, 1);
/** A whole number of pixels, or a share of the frame; which of them is a rule of all together. */
const coordinate = number(0, 8192);
const evenLength = even(16, 8192, 'pixels');
const point = tuple<readonly [number, number]>('a point, e.g. [0, 240]', coordinate, coordinate);
/** Square pixels, or up to 1 a share of the frame. */
const area = number(0, 8192 * 8192);
const ratio = number(0.01, 100);
const zoneNames = list(topicName, 'names of zones', { max: 32 });

const ZONE = {
  name: key(nullable(title), null, 'What people call it, any text. Null takes the key.'),
  area: required(
    list(point, 'at least two points, e.g. [[0, 240], [320, 240], [320, 480], [0, 480]]', {
      min: 2,
      max: 256,
    }),
    'Its corners, [x, y] in pixels of size or, all from 0 to 1, as shares of the frame. Two points are a line.',
  ),
  labels: key(
    either(oneOf('all'), list(label, 'labels', { min: 1 })),
    'all',
    'Labels and groups that count in it.',
  ),
  min_frames: key(
    integer(1, 100),
    2,
    'Frames in a row that must find an object inside, or outside again.',
  ),
  dwell: key(
    nullable(number(0.1, 86_400, 'seconds')),
    null,
    'Seconds inside after which an object loiters; null: it never does.',
  ),
  direction: key(
    oneOf('any', 'in', 'out'),
    'any',
    'Of a line: which way counts. in is from its left to its right, as seen from the first point to the second.',
  ),
} as const satisfies Section;

/** Which objects of one label count. */
const OBJECT_LIMITS = {
  min_area: optional(area, 'As min_area of the camera.'),
  max_area: optional(area, 'As max_area of the camera.'),
  min_ratio: optional(ratio, 'As min_ratio of the camera.'),
  max_ratio: optional(ratio, 'As max_ratio of the camera.'),
  required_zones: optional(zoneNames, 'As required_zones of the camera.'),
} as const satisfies Section;

/** What people call the kinds of source, in small letters. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  usb: 'v4l2 (USB cameras are v4l2)',
  webcam: 'v4l2 (webcams are v4l2)',
  uvc: 'v4l2',
  csi: 'libcamera',
  pi: 'libcamera',
  picamera: 'libcamera',
  raspicam: 'libcamera',
  rpicam: 'libcamera',
  ip: 'rtsp or mjpeg',
  onvif: 'rtsp',
  rtsps: 'rtsp (with a url that begins with rtsps://)',
  http: 'mjpeg or snapshot',
  https: 'mjpeg or snapshot',
  jpeg: 'snapshot',
  jpg: 'snapshot',
  file: 'files or video',
  image: 'files',
  images: 'files',
  folder: 'files or watch',
  directory: 'files or watch',
  mp4: 'video',
  test: 'demo',
};

export const CAMERA = {
  enabled: key(boolean, true, 'false keeps the camera in the file but does not open it.'),
  name: key(
    nullable(title),
    null,
    'What people call it, any text; topics keep its key. Null takes the key.',
  ),
  source: required(wordOf(SOURCE_KINDS, OTHER_NAMES), 'Where the frames come from.'),
  ...SOURCE_KEYS,
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
        'a list of x, y, width and height, in pixels or all from 0 to 1',
        coordinate,
        coordinate,
        coordinate,
        coordinate,
      ),
    ),
    null,
    'Part of the frame that is looked at: x, y, width, height, in pixels of size or, all from 0 to 1, as shares of the frame.',
  ),
  mask: key(
    list(
      list(point, 'points, e.g. [[0, 0], [64, 0], [64, 48]]', { min: 3, max: 256 }),
      'polygons, each a list of points',
      { max: 64 },
    ),
    [],
    'Polygons that are blacked out before anything looks at the frame: lists of [x, y], in pixels of size or, all of a polygon from 0 to 1, as shares of the frame.',
  ),
  labels: key(either(oneOf('all'), list(label, 'labels', { min: 1 })), 'all', 'Labels that count.'),
  presence: {
    enter: key(nullable(score), null, 'As presence.enter, for this camera alone.'),
    stay: key(nullable(score), null, 'As presence.stay, for this camera alone.'),
    off_delay: key(
      nullable(number(0, 86_400, 'seconds')),
      null,
      'As presence.off_delay, for this camera alone.',
    ),
    min_frames: key(
      nullable(integer(1, 100)),
      null,
      'As presence.min_frames, for this camera alone.',
    ),
  },
  zones: items(ZONE, {
    doc: 'Parts of the picture that are told of on their own; the key is the name in topics. Only where the network draws boxes.',
    names: topicName,
    example: 'porch: { area: [[0, 0.5], [1, 0.5], [1, 1], [0, 1]], labels: [person], dwell: 10 }',
  }),
  required_zones: key(
    zoneNames,
    [],
    'An object counts once it has been in one of these zones; empty: at once.',
  ),
  min_area: key(
    nullable(area),
    null,
    'Smaller boxes are left out: square pixels of size or, up to 1, a share of the frame.',
  ),
  max_area: key(nullable(area), null, 'Larger boxes are left out; as min_area.'),
  min_ratio: key(
    nullable(ratio),
    null,
    'Boxes that are more slender are left out: width divided by height.',
  ),
  max_ratio: key(nullable(ratio), null, 'Boxes that are wider for their height are left out.'),
  objects: items(OBJECT_LIMITS, {
    doc: 'Labels and groups with limits of their own.',
    names: label,
    example: 'car: { min_area: 0.02 }',
  }),
  schedule: key(
    list(scheduleSpan, 'spans such as "mon-fri 08:00-18:00", "22:00-06:00" or "sunset - sunrise"', {
      max: 64,
    }),
    [],
    'When the camera runs; outside it is off. Empty: always. A span over midnight belongs to the day it begins on.',
  ),
  time_zone: key(
    nullable(timeZone),
    null,
    "Whose clock the schedule is read on, e.g. Europe/Berlin; null takes the system's.",
  ),
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
} as const satisfies Section;
