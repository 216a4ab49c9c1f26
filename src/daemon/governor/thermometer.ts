import { cpus } from 'node:os';
import type { Config } from '../../config/config.js';
import { SUN_AND_SHADE, simulatedBoard } from '../../simulator/simulated-board.js';
import { createCpuMeter, createOwnCpuMeter } from '../../thermal/cpu-meter.js';
import { createClockReader } from '../../thermal/sensor/clock.js';
import { createSecondReader } from '../../thermal/sensor/second.js';
import { SYSTEM_TREE } from '../../thermal/sensor/tree.js';
import { createSensor, runVcgencmd } from '../../thermal/sensor.js';
import type { Thermometer } from '../../thermal/thermometer.js';

/** The machine's own sensor and CPU. */
export function realThermometer(config: Config): Thermometer {
  const { sysfs_root: root } = config.governor;
  const sensor = createSensor({ sysfsRoot: root, sensor: config.governor.sensor });
  const second = createSecondReader(root, SYSTEM_TREE);
  const clock = createClockReader(root, SYSTEM_TREE, () => runVcgencmd('measure_clock', 'arm'));
  const cpu = createCpuMeter(config.governor.proc_root);
  // Of the real machine only: beside a /proc that stands in for another one it would mean nothing.
  const own = config.governor.proc_root === '/proc' ? createOwnCpuMeter(cpus().length) : null;
  return {
    speed: 1,
    simulated: null,
    costMs: () => null,
    async read() {
      const [{ tempC, flags }, cpuUtil, otherC, speed] = await Promise.all([
        sensor.read(),
        cpu.read(),
        second(),
        clock(),
      ]);
      const ownCpu = own?.read() ?? null;
      return { tempC, flags, cpuUtil, inputs: { ownCpu, otherC, clock: speed } };
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
