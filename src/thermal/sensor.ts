import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What was read in one go; null for what could not be. */
export interface SensorReading {
  readonly tempC: number | null;
  /** `get_throttled` bits. */
  readonly flags: number | null;
  /** File the temperature came from. */
  readonly source: string | null;
}

export interface SensorOptions {
  /** Default /sys. */
  readonly sysfsRoot?: string;
  /**
   * `auto` looks for the processor's zone; a path is a file with milli-degrees; anything else is the
   * type of the zone to use.
   */
  readonly sensor?: string;
  /** Reads a small file; rejects when it cannot. */
  readonly readText?: (path: string) => Promise<string>;
  readonly listNames?: (path: string) => Promise<readonly string[]>;
  /** Runs `vcgencmd get_throttled`; rejects when there is none. Null: do not try. */
  readonly runVcgencmd?: (() => Promise<string>) | null;
}

export interface Sensor {
  /** Never rejects. */
  read(): Promise<SensorReading>;
}

/** Zone types that are the processor, best first. */
const ZONE_TYPES = [
  'cpu-thermal',
  'cpu_thermal',
  'soc-thermal',
  'soc_thermal',
  'bcm2835_thermal',
  'cpu0-thermal',
  'cpu-0-thermal',
  'cpu_thermal_zone',
  'x86_pkg_temp',
  'coretemp',
  'acpitz',
];
const THROTTLED_FILE = 'devices/platform/soc/soc:firmware/get_throttled';
/** Reads without a zone before the zones are looked through again. */
const RESCAN_EVERY = 30;
const VCGENCMD_TIMEOUT_MS = 500;

/** Opens the machine's sensor; files are looked for at the first read and again when they vanish. */
export function createSensor(options: SensorOptions = {}): Sensor {
  const root = options.sysfsRoot ?? '/sys';
  const readText = options.readText ?? ((path) => readFile(path, 'utf8'));
  const listNames = options.listNames ?? ((path) => readdir(path));
  const vcgencmd = options.runVcgencmd === undefined ? runVcgencmd : options.runVcgencmd;
  const wanted = options.sensor ?? 'auto';
  const types = wanted === 'auto' ? ZONE_TYPES : [wanted];
  const fixed = wanted.startsWith('/');
  let zone: string | null = fixed ? wanted : null;
  let misses = 0;
  let flagSource: 'sysfs' | 'vcgencmd' | 'none' | null = null;

  const temperature = async (): Promise<number | null> => {
    if (zone === null && misses % RESCAN_EVERY === 0)
      zone = await findZone(root, types, { readText, listNames });
    if (zone === null) {
      misses += 1;
      return null;
    }
    const tempC = await readText(zone).then(parseMilliDegrees, () => null);
    misses = tempC === null ? misses + 1 : 0;
    if (tempC === null && !fixed && misses > RESCAN_EVERY) zone = null;
    return tempC;
  };
  const flags = async (): Promise<number | null> => {
    if (flagSource === 'none') return null;
    if (flagSource !== 'vcgencmd') {
      const bits = await readText(join(root, THROTTLED_FILE)).then(parseThrottled, () => null);
      if (bits !== null || flagSource === 'sysfs') {
        if (bits !== null) flagSource = 'sysfs';
        return bits;
      }
    }
    const bits = vcgencmd === null ? null : await vcgencmd().then(parseThrottled, () => null);
    flagSource ??= bits === null ? 'none' : 'vcgencmd';
    return bits;
  };
  return {
    async read() {
      const [tempC, bits] = await Promise.all([temperature(), flags()]);
      return { tempC, flags: bits, source: zone };
    },
  };
}

async function findZone(
  root: string,
  types: readonly string[],
  { readText, listNames }: Required<Pick<SensorOptions, 'readText' | 'listNames'>>,
): Promise<string | null> {
  const folder = join(root, 'class/thermal');
  const names = await listNames(folder).catch(() => []);
  let best: string | null = null;
  let bestRank = types.length;
  for (const name of [...names].sort()) {
    if (!name.startsWith('thermal_zone')) continue;
    const type = await readText(join(folder, name, 'type')).catch(() => '');
    const rank = types.indexOf(type.trim());
    if (rank >= 0 && rank < bestRank) {
      best = join(folder, name, 'temp');
      bestRank = rank;
    }
  }
  return best;
}

/** Milli-degrees with a newline, as sysfs writes them; °C, or null for anything else. */
export function parseMilliDegrees(text: string): number | null {
  const trimmed = text.trim();
  if (!/^-?\d{1,7}$/.test(trimmed)) return null;
  return Number(trimmed) / 1000;
}

/** `50005` (hexadecimal, sysfs) or `throttled=0x50005` (vcgencmd). */
export function parseThrottled(text: string): number | null {
  const match = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim());
  return match?.[1] === undefined ? null : Number.parseInt(match[1], 16);
}

function runVcgencmd(): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: VCGENCMD_TIMEOUT_MS, maxBuffer: 4096 };
    execFile('vcgencmd', ['get_throttled'], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}
