import type { Config } from '../config/config.js';
import type { Variant } from '../models/variant.js';
import { createCpuMeter } from '../thermal/cpu-meter.js';
import { createSensor } from '../thermal/sensor.js';
import { SUN_AND_SHADE, simulatedBoard } from '../thermal/simulate/simulated-board.js';

/** What is known of the board's heat at one moment; null for what cannot be read. */
export interface HeatReading {
  readonly tempC: number | null;
  readonly flags: number | null;
  /** Busy fraction of the whole CPU, 0 to 1. */
  readonly cpuUtil: number | null;
}

export interface Thermometer {
  /** Simulated seconds for each second; 1 for a real board. */
  readonly speed: number;
  /** Name of the board, when it is a simulated one. */
  readonly simulated: string | null;
  /** What the weather around a simulated board is, in words. */
  readonly weather?: () => string;
  /** Wall time of one frame on a simulated board, ms; null where it must be measured. */
  costMs(variant: Variant): number | null;
  /** @param busy fraction of the time since the last call that went into inference, 0 to 1 */
  read(dtS: number, busy: number): Promise<HeatReading>;
}

/** The machine's own sensor and CPU. */
export function realThermometer(config: Config): Thermometer {
  const sensor = createSensor({
    sysfsRoot: config.governor.sysfs_root,
    sensor: config.governor.sensor,
  });
  const cpu = createCpuMeter(config.governor.proc_root);
  return {
    speed: 1,
    simulated: null,
    costMs: () => null,
    async read() {
      const [{ tempC, flags }, cpuUtil] = await Promise.all([sensor.read(), cpu.read()]);
      return { tempC, flags, cpuUtil };
    },
  };
}

/** Everything but inference takes about this share of a Pi's CPU. */
const REST_UTIL = 0.05;

/** A simulated board, heated by the inferences of this process. Throws MND_USAGE. */
export function simulatedThermometer(board: string, speed: number, ambientC: number): Thermometer {
  const simulated = simulatedBoard({ board, speed, ambientC, weather: SUN_AND_SHADE });
  return {
    speed,
    simulated: board,
    weather: () => simulated.weather,
    costMs({ multAdds }) {
      const { overheadMs, msPerMillion } = simulated.board;
      return multAdds === null ? null : overheadMs + msPerMillion * multAdds;
    },
    async read(dtS, busy) {
      const cpuUtil = Math.min(1, busy + REST_UTIL);
      const { tempC, throttledFlags } = simulated.step(dtS, cpuUtil);
      return { tempC, flags: throttledFlags, cpuUtil };
    },
  };
}
