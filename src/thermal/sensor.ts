import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Belief } from './sensor/believable.js';
import { ZoneChoice, type ZoneReading } from './sensor/choice.js';
import { parseMilliDegrees } from './sensor/milli-degrees.js';
import { SYSTEM_TREE, type Tree } from './sensor/tree.js';
import { findProcessorZones, findZonesOfType, type ZoneGroup } from './sensor/zones.js';

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
   * type of the zones to use.
   */
  readonly sensor?: string;
  /** Reads a small file; rejects when it cannot. */
  readonly readText?: (path: string) => Promise<string>;
  readonly listNames?: (path: string) => Promise<readonly string[]>;
  /** Runs `vcgencmd get_throttled`; rejects when there is none. Null: do not try. */
  readonly runVcgencmd?: (() => Promise<string>) | null;
}

/** A zone and what is held of it. */
export type ZoneFinding = ZoneReading & Belief;

export interface Sensor {
  /** Never rejects. */
  read(): Promise<SensorReading>;
  /** Every zone that could be the processor's, best kind first, and whether it can be believed. */
  survey(): Promise<readonly ZoneFinding[]>;
}

const THROTTLED_FILE = 'devices/platform/soc/soc:firmware/get_throttled';
/** Reads between two surveys of all zones. */
const SURVEY_EVERY = 30;
/** Reads without a temperature after which another kind of zone may take over. */
const PATIENCE = 5;
const VCGENCMD_TIMEOUT_MS = 500;

/** Opens the machine's sensors; zones are looked for at the first read and again when they vanish. */
export function createSensor(options: SensorOptions = {}): Sensor {
  const root = options.sysfsRoot ?? '/sys';
  const tree: Tree = {
    readText: options.readText ?? SYSTEM_TREE.readText,
    listNames: options.listNames ?? SYSTEM_TREE.listNames,
  };
  const vcgencmd =
    options.runVcgencmd === undefined ? () => runVcgencmd('get_throttled') : options.runVcgencmd;
  const temperature = new Temperature(root, options.sensor ?? 'auto', tree);
  const flags = createFlagsReader(root, tree, vcgencmd);
  return {
    async read() {
      const [{ tempC, source }, bits] = await Promise.all([temperature.read(), flags()]);
      return { tempC, flags: bits, source };
    },
    survey: () => temperature.survey(),
  };
}

/** The processor's temperature, of the zone that can be believed. */
class Temperature {
  readonly #root: string;
  readonly #wanted: string;
  readonly #tree: Tree;
  readonly #choice = new ZoneChoice();
  #group: ZoneGroup | null = null;
  #reads = 0;
  /** Reads without a temperature, one after the other. */
  #misses = 0;

  /** @param wanted `auto`, a type of zone, or the path of a file */
  constructor(root: string, wanted: string, tree: Tree) {
    this.#root = root;
    this.#wanted = wanted;
    this.#tree = tree;
  }

  async read(): Promise<Pick<SensorReading, 'tempC' | 'source'>> {
    const isDue = this.#reads % SURVEY_EVERY === 0 || this.#misses === PATIENCE;
    this.#reads += 1;
    if (isDue) await this.#look();
    const group = await this.#readings(this.#group ?? []);
    const found = this.#choice.hottest(group);
    this.#misses = found === null ? this.#misses + 1 : 0;
    const chosen = found ?? this.#choice.fallen(group);
    return { tempC: chosen?.tempC ?? null, source: chosen?.path ?? group[0]?.path ?? null };
  }

  async survey(): Promise<readonly ZoneFinding[]> {
    const groups = await this.#look();
    return groups.flat().map((zone) => ({ ...zone, ...this.#choice.believe(zone) }));
  }

  /** Looks at all zones; another group takes over where it is better, and not for a moment's silence. */
  async #look(): Promise<readonly (readonly ZoneReading[])[]> {
    const found = await this.#find();
    const groups = await Promise.all(found.map((group) => this.#readings(group)));
    this.#choice.survey(groups);
    const isSilent = this.#misses > 0 && this.#misses < PATIENCE;
    if (this.#group === null || !isSilent) this.#group = this.#choice.best(groups) ?? this.#group;
    return groups;
  }

  #find(): Promise<readonly ZoneGroup[]> {
    const wanted = this.#wanted;
    if (wanted.startsWith('/')) return Promise.resolve([[{ path: wanted, type: 'file' }]]);
    if (wanted === 'auto') return findProcessorZones(this.#root, this.#tree);
    return findZonesOfType(this.#root, wanted, this.#tree);
  }

  #readings(group: ZoneGroup): Promise<readonly ZoneReading[]> {
    return Promise.all(
      group.map(async ({ path, type }) => ({
        path,
        type,
        tempC: await this.#tree.readText(path).then(parseMilliDegrees, () => null),
      })),
    );
  }
}

/** Reads the firmware's flags of sysfs, else of vcgencmd; a program that is missing is asked once. */
function createFlagsReader(
  root: string,
  { readText }: Tree,
  vcgencmd: (() => Promise<string>) | null,
): () => Promise<number | null> {
  let flagSource: 'sysfs' | 'vcgencmd' | 'none' | null = null;
  return async () => {
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
}

/** `50005` (hexadecimal, sysfs) or `throttled=0x50005` (vcgencmd). */
export function parseThrottled(text: string): number | null {
  const match = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim());
  return match?.[1] === undefined ? null : Number.parseInt(match[1], 16);
}

/** What the firmware answers to a question; rejects where there is no such program. */
export function runVcgencmd(...question: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: VCGENCMD_TIMEOUT_MS, maxBuffer: 4096 };
    execFile('vcgencmd', [...question], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}
