import { even, nullable, number, tuple } from '../../../schema/format.js';
import { key, type ValueOf } from '../../../schema/section.js';
import type { PictureOptions, SourceFault } from '../description.js';
import { sizeFaults } from '../picture-size.js';
import { CONTROLS } from './control-keys.js';
import { controlFault } from './controls.js';

const evenLength = even(16, 8192, 'pixels');

/** What streams and single pictures of a libcamera camera have in common. */
export const LIBCAMERA_KEYS = {
  still_interval: key(
    number(1, 86_400, 'seconds'),
    60,
    'Time from one still picture to the next, seconds.',
  ),
  controls: CONTROLS,
  snapshot_size: key(
    nullable(
      tuple<readonly [number, number]>(
        'a list of width and height, both even, e.g. [4608, 2592]',
        evenLength,
        evenLength,
      ),
    ),
    null,
    'Size of the picture a libcamera camera takes when a snapshot is asked for: the stream pauses for it. Null takes a frame of the stream.',
  ),
} as const;

/** Least side that the camera programs are asked for, pixels. */
const LEAST_SIDE = 64;

export function libcameraFaults({
  size,
  controls,
  snapshot_size: snapshot,
}: Pick<PictureOptions, 'size'> & ValueOf<typeof LIBCAMERA_KEYS>): readonly SourceFault[] {
  const faults = [...sizeFaults(size, LEAST_SIDE)];
  if (snapshot !== null && Math.min(...snapshot) < LEAST_SIDE) {
    faults.push({ key: 'snapshot_size', expected: `sides of at least ${LEAST_SIDE} pixels` });
  }
  for (const [name, value] of Object.entries(controls)) {
    const expected = controlFault(name, value);
    if (expected !== null) faults.push({ key: `controls.${name}`, expected });
  }
  return faults;
}
