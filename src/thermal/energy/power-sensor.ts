import { join } from 'node:path';
import { namesIn, type Tree } from '../sensor/tree.js';

/** Reads the power at the supply, W; null where it cannot be read now. Never rejects. */
export type PowerSensor = () => Promise<number | null>;

const MICRO = 1e-6;
/** No board of this kind draws more, W: such a reading is nonsense. */
const MOST_W = 100;

/**
 * A power sensor below `<root>/class/hwmon`: the first chip with `power1_average` or `power1_input` in
 * microwatts, such as INA219, INA226 or INA238 (Documentation/hwmon/sysfs-interface). Null where there is
 * none.
 *
 * @param path a file with microwatts instead, or null to look for one
 */
export async function findPowerSensor(
  root: string,
  path: string | null,
  tree: Tree,
): Promise<PowerSensor | null> {
  const file = path ?? (await findFile(join(root, 'class/hwmon'), tree));
  if (file === null) return null;
  return async () => {
    const text = await tree.readText(file).catch(() => '');
    const watts = text.trim() === '' ? Number.NaN : Number(text) * MICRO;
    return watts >= 0 && watts <= MOST_W ? watts : null;
  };
}

async function findFile(folder: string, tree: Tree): Promise<string | null> {
  for (const chip of await namesIn(tree, folder)) {
    const names = await namesIn(tree, join(folder, chip));
    const name = ['power1_average', 'power1_input'].find((each) => names.includes(each));
    if (name !== undefined) return join(folder, chip, name);
  }
  return null;
}
