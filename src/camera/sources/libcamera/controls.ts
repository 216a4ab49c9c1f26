import { codedError } from '../../../errors.js';

/**
 * Camera settings that libcamera's programs take; anything else is refused by the type and the
 * checks. What is absent, null or false is left to the camera.
 */
export type LibcameraControls = {
  readonly [K in keyof Controls]?: Controls[K] | null;
};

interface Controls {
  /** Index as `rpicam-hello --list-cameras` shows it; default 0. */
  readonly camera: number;
  readonly hflip: boolean;
  readonly vflip: boolean;
  /** Part of the sensor that is read: x, y, width, height as fractions. */
  readonly roi: readonly [x: number, y: number, width: number, height: number];
  readonly exposure: 'normal' | 'sport' | 'long';
  /** Exposure time, microseconds. */
  readonly shutter: number;
  readonly gain: number;
  /** Exposure compensation, stops. */
  readonly ev: number;
  readonly metering: 'centre' | 'spot' | 'average';
  readonly awb:
    | 'auto'
    | 'incandescent'
    | 'tungsten'
    | 'fluorescent'
    | 'indoor'
    | 'daylight'
    | 'cloudy';
  readonly autofocus: 'default' | 'manual' | 'auto' | 'continuous';
  /** Dioptres: 0 is infinity. */
  readonly lens: number;
  /** How near the lens may focus; `macro` is for what is close. */
  readonly autofocus_range: 'normal' | 'macro' | 'full';
  /** Several exposures for one picture; `sensor` where the sensor can do it (Camera Module 3). */
  readonly hdr: 'off' | 'auto' | 'sensor' | 'single-exp';
  /** Sensor mode, width:height: which part of the sensor is read, and how it is binned. */
  readonly mode: string;
  /** Absolute path of a tuning file, e.g. for a camera without infrared filter. */
  readonly tuning_file: string;
  readonly denoise: 'auto' | 'off' | 'cdn_off' | 'cdn_fast' | 'cdn_hq';
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly sharpness: number;
}

/** One program option and its value; true stands for an option without a value. */
export type ProgramOption = readonly [name: string, value: string | true];

/** In one word, so that a negative number is not taken for an option, nor a value left over. */
export function programArgument([name, value]: ProgramOption): string {
  return value === true ? `--${name}` : `--${name}=${value}`;
}

type Rule = (value: unknown) => string | true | null;

interface Control {
  readonly option: string;
  readonly expected: string;
  readonly rule: Rule;
}

/** At most four decimals and never an exponent, so that nothing but digits, a point and a sign come out. */
export function plainNumber(value: number): string {
  return String(Number(value.toFixed(4)));
}

function number(option: string, least: number, most: number, whole = false): Control {
  return {
    option,
    expected: `${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
    rule: (value) =>
      typeof value === 'number' &&
      value >= least &&
      value <= most &&
      (!whole || Number.isInteger(value))
        ? plainNumber(value)
        : null,
  };
}

function word(option: string, ...words: readonly string[]): Control {
  return {
    option,
    expected: `one of ${words.join(', ')}`,
    rule: (value) => words.find((candidate) => candidate === value) ?? null,
  };
}

function flag(option: string): Control {
  const rule: Rule = (value) => (value === true ? true : null);
  return { option, expected: 'true or false', rule };
}

/** Text that means nothing to a shell, to libcamera's option parser or to the eye. */
function matching(option: string, expected: string, pattern: RegExp): Control {
  const rule: Rule = (value) => (typeof value === 'string' && pattern.test(value) ? value : null);
  return { option, expected, rule };
}

const roi: Control = {
  option: 'roi',
  expected: 'x, y, width and height as fractions of the sensor',
  rule(value) {
    if (!Array.isArray(value) || value.length !== 4) return null;
    const sides = value.map(Number);
    const [x = 0, y = 0, width = 0, height = 0] = sides;
    const inside =
      sides.every((side) => side >= 0 && side <= 1) &&
      // 0.35 + 0.65 may come out a little over 1.
      Math.max(x + width, y + height) <= 1 + 1e-9;
    return inside && width > 0 && height > 0 ? sides.map(plainNumber).join(',') : null;
  },
};

const CONTROLS: Readonly<Record<keyof Controls, Control>> = {
  camera: number('camera', 0, 9, true),
  hflip: flag('hflip'),
  vflip: flag('vflip'),
  roi,
  exposure: word('exposure', 'normal', 'sport', 'long'),
  shutter: number('shutter', 1, 600_000_000, true),
  gain: number('gain', 0, 64),
  ev: number('ev', -10, 10),
  metering: word('metering', 'centre', 'spot', 'average'),
  awb: word(
    'awb',
    ...['auto', 'incandescent', 'tungsten', 'fluorescent', 'indoor', 'daylight', 'cloudy'],
  ),
  autofocus: word('autofocus-mode', 'default', 'manual', 'auto', 'continuous'),
  autofocus_range: word('autofocus-range', 'normal', 'macro', 'full'),
  lens: number('lens-position', 0, 32),
  hdr: word('hdr', 'off', 'auto', 'sensor', 'single-exp'),
  mode: matching('mode', 'width:height, e.g. 2304:1296', /^\d{2,5}:\d{2,5}$/),
  tuning_file: matching(
    'tuning-file',
    'an absolute path of letters, digits, "/", ".", "_" and "-"',
    /^\/[A-Za-z0-9/._-]{1,200}$/,
  ),
  denoise: word('denoise', 'auto', 'off', 'cdn_off', 'cdn_fast', 'cdn_hq'),
  brightness: number('brightness', -1, 1),
  contrast: number('contrast', 0, 32),
  saturation: number('saturation', 0, 32),
  sharpness: number('sharpness', 0, 16),
};

/**
 * The options for the given controls. Every name comes from a fixed table and every value is a
 * checked number or a word of a fixed set, so that nothing configured can reach a shell or be taken
 * for another option. A flag that is false is left out. Throws MND_CONFIG_INVALID.
 */
export function controlOptions(controls: LibcameraControls): ProgramOption[] {
  const options: ProgramOption[] = [];
  for (const [name, value] of Object.entries(controls)) {
    const control = Object.hasOwn(CONTROLS, name) ? CONTROLS[name as keyof Controls] : undefined;
    if (control === undefined) {
      throw codedError('MND_CONFIG_INVALID', {
        subject: 'camera control',
        expected: `one of ${Object.keys(CONTROLS).join(', ')}`,
        found: JSON.stringify(name),
      });
    }
    if (value === undefined || value === null || value === false) continue;
    const text = control.rule(value);
    if (text === null) {
      throw codedError('MND_CONFIG_INVALID', {
        subject: `camera control ${name}`,
        expected: control.expected,
        found: JSON.stringify(value),
      });
    }
    options.push([control.option, text]);
  }
  return options;
}

export interface LibcameraPicture {
  /** Width and height, pixels, even. */
  readonly size: readonly [width: number, height: number];
  /** Degrees; libcamera turns by 0 and 180 only. */
  readonly rotation?: number;
  readonly controls?: LibcameraControls;
}

/** Options of size, rotation and controls, common to stills and streams. Throws MND_CONFIG_INVALID. */
export function pictureOptions({ size, rotation, controls }: LibcameraPicture): ProgramOption[] {
  const [width, height] = size;
  for (const side of size) {
    if (Number.isInteger(side) && side >= 64 && side <= 8192 && side % 2 === 0) continue;
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'size',
      expected: 'even sides of 64 to 8192 pixels',
      found: `${width}×${height}`,
    });
  }
  if (rotation !== undefined && rotation !== 0 && rotation !== 180) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'rotation',
      expected: '0 or 180: libcamera cannot turn a picture by a quarter',
      found: JSON.stringify(rotation),
    });
  }
  return [
    ['width', String(width)],
    ['height', String(height)],
    ...(rotation === 180 ? ([['rotation', '180']] as const) : []),
    ...controlOptions(controls ?? {}),
  ];
}
