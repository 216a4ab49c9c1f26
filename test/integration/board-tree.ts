import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A /sys and a /proc of a board whose heat and load are written from outside. */
export function createBoardTree(folder: string) {
  const sysfs = join(folder, 'sys');
  const proc = join(folder, 'proc');
  const zone = join(sysfs, 'class/thermal/thermal_zone0');
  const firmware = join(sysfs, 'devices/platform/soc/soc:firmware');
  for (const dir of [zone, firmware, proc]) mkdirSync(dir, { recursive: true });
  writeFileSync(join(zone, 'type'), 'cpu-thermal\n');
  let busyTicks = 0;
  let idleTicks = 0;
  return {
    sysfs,
    proc,
    write(tempC: number, flags: number, util: number) {
      busyTicks += Math.round(1000 * util);
      idleTicks += Math.round(1000 * (1 - util));
      writeFileSync(join(zone, 'temp'), `${Math.round(tempC * 1000)}\n`);
      writeFileSync(join(firmware, 'get_throttled'), `${flags.toString(16)}\n`);
      writeFileSync(join(proc, 'stat'), `cpu  ${busyTicks} 0 0 ${idleTicks} 0 0 0 0 0 0\n`);
    },
  };
}

export type BoardTree = ReturnType<typeof createBoardTree>;
