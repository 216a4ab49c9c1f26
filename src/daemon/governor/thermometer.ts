import { cpus } from 'node:os';
import type { Config } from '../../config/config.js';
import { SUN_AND_SHADE, simulatedBoard } from '../../simulator/simulated-board.js';
import { createCpuMeter, createOwnCpuMeter } from '../../thermal/cpu-meter.js';
import { createSensor } from '../../thermal/sensor.js';
import type { Thermometer } from '../../thermal/thermometer.js';

/** The machine's own sensor and CPU. */
export function realThermometer(config: Config): Thermometer {
  const sensor = createSensor({
    sysfsRoot: config.governor.sysfs_root,
    sensor: config.governor.sensor,
  });
  const cpu = createCpuMeter(config.governor.proc_root);
  // Of the real machine only: beside a /proc that stands in for another one it would mean nothing.
  const own = config.governor.proc_root === '/proc' ? createOwnCpuMeter(cpus().length) : null;
  return {
    speed: 1,
    simulated: null,
    costMs: () => null,
    async read() {
      const [{ tempC, flags }, cpuUtil] = await Promise.all([sensor.read(), cpu.read()]);
      return { tempC, flags, cpuUtil, inputs: { ownCpu: own?.read() ?? null } };
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
