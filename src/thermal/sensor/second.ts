import { believe } from './believable.js';
import { parseMilliDegrees } from './milli-degrees.js';
import type { Tree } from './tree.js';
import { findOtherZones, type Zone } from './zones.js';

/** Reads a sensor elsewhere on the board, °C; null where there is none or it says nothing. Never rejects. */
export type SecondReader = () => Promise<number | null>;

/** Silent reads after which another one is looked for, and reads between two looks where there is none. */
const PATIENCE = 30;
const LOOK_EVERY = 300;

/**
 * The sensor that is nearest to the processor without being its own: that of the input/output chip or the power
 * chip, then a zone of the same chip, a disk, the radio (`/sys/class/hwmon`, `/sys/class/thermal`).
 */
export function createSecondReader(root: string, tree: Tree): SecondReader {
  let chosen: Zone | null = null;
  let silent = 0;
  let idle = LOOK_EVERY;
  const temperatureOf = async ({ path, type }: Zone): Promise<number | null> => {
    const tempC = await tree.readText(path).then(parseMilliDegrees, () => null);
    return believe(tempC, type).trust === 'yes' ? tempC : null;
  };
  const look = async (): Promise<Zone | null> => {
    for (const zone of await findOtherZones(root, tree)) {
      if ((await temperatureOf(zone)) !== null) return zone;
    }
    return null;
  };
  return async () => {
    if (chosen === null || silent >= PATIENCE) {
      idle += 1;
      if (idle < LOOK_EVERY && chosen === null) return null;
      [idle, silent] = [0, 0];
      chosen = await look();
    }
    const tempC = chosen === null ? null : await temperatureOf(chosen);
    silent = tempC === null ? silent + 1 : 0;
    return tempC;
  };
}
