import { ALPHA_RANGE, INPUT_SIZE_RANGE } from '../../../families/ranges.js';
import {
  auto,
  boolean,
  either,
  integer,
  oneOf,
  text,
  tuple,
  within,
} from '../../../schema/format.js';
import type { Section } from '../../../schema/section.js';
import { key } from '../../../schema/section.js';
import { filePath } from '../../../schema/text.js';
import { DEFAULT_MARGIN_C } from '../../../thermal/options.js';
import { GOVERNOR_RANGES } from '../../../thermal/ranges.js';
import { modelName } from '../formats.js';

const ENERGY = {
  watt_hours: key(
    either(oneOf('any'), within(GOVERNOR_RANGES.wattHours, 'Wh')),
    'any',
    'What the whole board may draw in each period, Wh (solar, batteries); any: no budget.',
  ),
  per: key(
    oneOf('day', 'hour'),
    'day',
    'The period: a day begins at local midnight, an hour at its full hour.',
  ),
  watts: key(
    either(
      auto,
      tuple(
        '[idle, full]: the watts that the board draws idle and with all cores busy',
        within(GOVERNOR_RANGES.watts, 'W'),
        within(GOVERNOR_RANGES.watts, 'W'),
      ),
    ),
    'auto',
    'Watts that the board draws idle and with all cores busy, e.g. [2.1, 6.4]; auto knows Raspberry Pi 3, 4 and 5, and asks on others.',
  ),
  sensor: key(
    text('auto, none, or the path of a file with microwatts'),
    'auto',
    'Where the power is measured: auto (a chip such as INA219 below hwmon), none, or the path of a file with microwatts.',
  ),
} as const satisfies Section;

export const GOVERNOR = {
  enabled: key(either(auto, boolean), 'auto', 'auto governs where there is a temperature sensor.'),
  sensor: key(
    text('auto, the type of a thermal zone, or the path of a file with thousandths of a degree'),
    'auto',
    'Where the temperature is read: auto, the type of a thermal zone (cpu-thermal), or a path.',
  ),
  limit: key(
    either(auto, within(GOVERNOR_RANGES.limitC, '°C')),
    'auto',
    'Temperature never to be reached, °C; auto knows the board.',
  ),
  target: key(
    either(auto, within(GOVERNOR_RANGES.targetC, '°C')),
    'auto',
    'Temperature to stay at where that costs accuracy only, °C (a sealed box, a fan that should stay off); auto is as warm as the limit allows.',
  ),
  energy: ENERGY,
  margin: key(
    within(GOVERNOR_RANGES.marginC, '°C'),
    DEFAULT_MARGIN_C,
    'Distance kept from the limit, °C.',
  ),
  floor_alpha: key(
    within(ALPHA_RANGE),
    0.25,
    'Least width multiplier the governor may go down to.',
  ),
  floor_size: key(
    integer(INPUT_SIZE_RANGE.min, INPUT_SIZE_RANGE.max, 'pixels'),
    128,
    'Least input size the governor may go down to, pixels.',
  ),
  min_fps: key(within(GOVERNOR_RANGES.minFps), 1, 'Least frame rate the governor may go down to.'),
  prefer: key(
    oneOf('accuracy', 'fps', 'cool'),
    'accuracy',
    'What is given up last; cool stays 15 °C below the limit where that costs accuracy only (governor.target says how cool).',
  ),
  pin: key(
    modelName,
    'auto',
    'Name of the one variant to run whatever the heat; auto lets the governor choose.',
  ),
  sysfs_root: key(filePath, '/sys', 'Where sysfs is mounted.', { path: true }),
  proc_root: key(filePath, '/proc', 'Where procfs is mounted.', { path: true }),
} as const satisfies Section;
