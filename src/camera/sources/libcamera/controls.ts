import { codedError } from '../../../errors.js';
import type { ValueOf } from '../../../schema/section.js';
import { CONTROLS } from './control-keys.js';

/** Camera settings; what is absent, null or false is left to the camera. */
export type LibcameraControls = { readonly [K in keyof Controls]?: Controls[K] | null };

type Controls = ValueOf<typeof CONTROLS>;

/** Options whose name is not that of their key. */
const OPTION_NAMES: Readonly<Record<string, string>> = {
  autofocus: 'autofocus-mode',
  lens: 'lens-position',
};

/** One program option and its value; true stands for an option without a value. */
export type ProgramOption = readonly [name: string, value: string | true];

/** In one word, so that a negative number is not taken for an option, nor a value left over. */
export function programArgument([name, value]: ProgramOption): string {
  return value === true ? `--${name}` : `--${name}=${value}`;
}

/** At most four decimals and never an exponent, so that nothing but digits, a point and a sign come out. */
export function plainNumber(value: number): string {
  return String(Number(value.toFixed(4)));
}

/** 0.35 + 0.65 may come out a little over 1. */
const ROUNDING = 1e-9;

/** What a control must be; null when the value is that. */
export function controlFault(name: string, value: unknown): string | null {
  const leaf = Object.hasOwn(CONTROLS, name) ? CONTROLS[name as keyof Controls] : undefined;
  if (leaf === undefined) return `one of ${Object.keys(CONTROLS).join(', ')}`;
  const [fault] = leaf.type.faults(value);
  if (fault !== undefined) return fault.expected;
  if (name !== 'roi' || value === null) return null;
  const [x, y, width, height] = value as readonly [number, number, number, number];
  const inside = Math.max(x + width, y + height) <= 1 + ROUNDING && width > 0 && height > 0;
  return inside ? null : 'a part of the sensor: x + width and y + height up to 1';
}

function optionValue(value: unknown): string | true {
  if (value === true) return true;
  if (typeof value === 'number') return plainNumber(value);
  return Array.isArray(value) ? value.map(Number).map(plainNumber).join(',') : String(value);
}

/**
 * The options for the given controls. Every name comes from a fixed table and every value is a
 * checked number or a word of a fixed set, so that nothing configured can reach a shell or be taken
 * for another option. A flag that is false is left out. Throws MND_CONFIG_INVALID.
 */
export function controlOptions(controls: LibcameraControls): ProgramOption[] {
  const options: ProgramOption[] = [];
  for (const [name, value] of Object.entries(controls)) {
    const known = Object.hasOwn(CONTROLS, name);
    if (known && (value === undefined || value === null || value === false)) continue;
    const expected = controlFault(name, value);
    if (expected !== null) {
      throw codedError('MND_CONFIG_INVALID', {
        subject: known ? `camera control ${name}` : 'camera control',
        expected,
        found: JSON.stringify(known ? value : name),
      });
    }
    options.push([OPTION_NAMES[name] ?? name.replaceAll('_', '-'), optionValue(value)]);
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
