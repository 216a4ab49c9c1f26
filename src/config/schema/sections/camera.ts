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
import { key, required } from '../../../schema/section.js';
import { label, timeZone } from '../../../schema/text.js';
import { scheduleSpan, title } from '../formats.js';

const score = number(0, 1);
/** A whole number of pixels, or a share of the frame; which of them is a rule of all together. */
const coordinate = number(0, 8192);
const evenLength = even(16, 8192, 'pixels');

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
      list(
        tuple<readonly [number, number]>('a point, e.g. [0, 240]', coordinate, coordinate),
        'points, e.g. [[0, 0], [64, 0], [64, 48]]',
        { min: 3, max: 256 },
      ),
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
