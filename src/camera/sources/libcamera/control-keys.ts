import { boolean, integer, nullable, number, oneOf, text, tuple } from '../../../schema/format.js';
import { key } from '../../../schema/section.js';

const fraction = number(0, 1);

/** Settings of a libcamera camera that its programs take; null and false leave one to the camera. */
export const CONTROLS = {
  camera: key(
    nullable(integer(0, 9)),
    null,
    'Which camera, as rpicam-hello --list-cameras numbers them; null takes the first.',
  ),
  hflip: key(boolean, false, 'Mirror left and right.'),
  vflip: key(boolean, false, 'Mirror top and bottom.'),
  roi: key(
    nullable(
      tuple<readonly [number, number, number, number]>(
        'a list of x, y, width and height as fractions of the sensor, e.g. [0.25, 0.25, 0.5, 0.5]',
        fraction,
        fraction,
        fraction,
        fraction,
      ),
    ),
    null,
    'Part of the sensor that is read (a zoom without loss): x, y, width, height, each 0 to 1.',
  ),
  exposure: key(nullable(oneOf('normal', 'sport', 'long')), null, 'Exposure mode.'),
  shutter: key(
    nullable(integer(1, 600_000_000, 'microseconds')),
    null,
    'Fixed exposure time, microseconds.',
  ),
  gain: key(nullable(number(0, 64)), null, 'Fixed gain of the sensor.'),
  ev: key(nullable(number(-10, 10, 'stops')), null, 'Exposure compensation, stops.'),
  metering: key(nullable(oneOf('centre', 'spot', 'average')), null, 'Where the light is measured.'),
  awb: key(
    nullable(
      oneOf('auto', 'incandescent', 'tungsten', 'fluorescent', 'indoor', 'daylight', 'cloudy'),
    ),
    null,
    'White balance.',
  ),
  autofocus: key(
    nullable(oneOf('default', 'manual', 'auto', 'continuous')),
    null,
    'Autofocus, where the camera has it.',
  ),
  autofocus_range: key(
    nullable(oneOf('normal', 'macro', 'full')),
    null,
    'Distances among which autofocus looks.',
  ),
  lens: key(
    nullable(number(0, 32, 'dioptres')),
    null,
    'Position of the lens with autofocus manual, dioptres: 0 is infinity, 2 is half a metre.',
  ),
  hdr: key(
    nullable(oneOf('off', 'auto', 'sensor', 'single-exp')),
    null,
    'High dynamic range; sensor on Camera Module 3.',
  ),
  mode: key(
    nullable(text('width:height of a sensor mode, e.g. 2304:1296', /^\d{2,5}:\d{2,5}$/)),
    null,
    'Sensor mode: how much of the sensor is read, and how finely.',
  ),
  tuning_file: key(
    nullable(
      text(
        'an absolute path of letters, digits, "/", ".", "_" and "-"',
        /^\/[A-Za-z0-9/._-]+$/,
        201,
      ),
    ),
    null,
    'Tuning file, e.g. that of a camera without infrared filter.',
  ),
  denoise: key(
    nullable(oneOf('auto', 'off', 'cdn_off', 'cdn_fast', 'cdn_hq')),
    null,
    'Noise reduction.',
  ),
  brightness: key(nullable(number(-1, 1)), null, 'Brightness: 0 changes nothing.'),
  contrast: key(nullable(number(0, 32)), null, 'Contrast: 1 changes nothing.'),
  saturation: key(nullable(number(0, 32)), null, 'Saturation: 1 changes nothing.'),
  sharpness: key(nullable(number(0, 16)), null, 'Sharpness: 1 changes nothing.'),
} as const;
