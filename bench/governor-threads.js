// Lets the governor choose threads as well, on simulated boards that should stay cool, and says what that is
// worth in accuracy, and what was learnt of the heat of a thread.
// Usage: npm run bench:governor -- --threads [--boards pi4-case,pi5-bare]
// One thread heats by its processor time, times a factor that the governor does not know: 0.8, 1 or 1.3.
// Ends with 1 when the limit is reached, or more than `MOST_LOST` points are lost to a factor that was not foreseen.
import { parseArgs } from 'node:util';
import { boardLadder } from '../dist/simulator/board-ladder.js';
import { BOARDS } from '../dist/simulator/boards.js';
import { settledPlant, stepPlant } from '../dist/simulator/plant.js';
import { createRandom } from '../dist/simulator/random.js';
import { createGovernor } from '../dist/thermal/governor.js';

const { values } = parseArgs({
  options: {
    threads: { type: 'boolean', default: false },
    boards: { type: 'string', default: 'pi3bplus-case,pi4-case,pi5-bare,zero2w-case' },
  },
});
const MOST_LOST = 1.5;
const LASTS_S = 3 * 3600;
/** Share of the CPU that three threads keep busy. */
const SHARE = 0.9;
/** Of the rate that the best rung can keep on three threads. */
const RATE = 0.35;
/** Below the limit: a box that should not get warm. */
const COOLER_C = 12;
const ROOM = { ambientC: 30, sunW: 0, fanWorks: true };
/** Wall time and processor time relative to the wall time of three threads. */
const THREADS = [
  [3, 1, 2.7],
  [2, 1.35, 2.5],
  [1, 2.3, 2.3],
];
const BUSIEST = 2.7;

function waysOf(costMs) {
  return THREADS.map(([threads, wall, cpu]) => ({
    threads,
    costMs: costMs * wall,
    cpuMs: costMs * cpu,
    knob: `${threads}`,
  }));
}

function run(board, several, factor) {
  const ladder = boardLadder(board).map((rung) =>
    several ? { ...rung, ways: waysOf(rung.costMs) } : rung,
  );
  const { limitC } = board;
  const requestedFps = RATE * board.requestedFps;
  const targetC = limitC - COOLER_C;
  const governor = createGovernor({ ladder, limitC, targetC, requestedFps });
  const plant = settledPlant(board.plant, ROOM, 0.03);
  const random = createRandom(1);
  const { stepC, noiseC } = board.sensor;
  let work = { busy: 0, cpu: 0, heat: 0 };
  let d = null;
  let [quality, peakC] = [0, 0];
  for (let timeS = 0; timeS < LASTS_S; timeS += 1) {
    const tempC = Math.round((plant.dieC + noiseC * random.normal()) / stepC) * stepC;
    const cpuUtil = Math.min(1, Math.max(0, SHARE * work.cpu + 0.03 + 0.02 * random.normal()));
    d = governor.decide({
      timeS,
      tempC,
      requestedFps,
      deliveredFps: d?.fps ?? 0,
      latencyMs: d === null || d.fps === 0 ? null : (1000 * work.busy) / d.fps,
      rung: d?.rung ?? 0,
      throttledFlags: 0,
      cpuUtil,
      ownCpu: SHARE * work.cpu,
      busy: work.busy,
    });
    work = workOf(d, ladder, factor);
    for (let i = 0; i < 4; i += 1) {
      stepPlant(board.plant, plant, ROOM, SHARE * work.heat + 0.03, 0.25);
      peakC = Math.max(peakC, plant.dieC);
    }
    if (timeS >= LASTS_S / 2) quality += (2 * work.score) / requestedFps / LASTS_S;
  }
  return { quality, overC: peakC - limitC, knobs: d.board.knobs, reason: d.reason };
}

function workOf({ mix, ways, fps }, ladder, factor) {
  const share = mix.low === mix.high ? 0 : mix.fraction;
  const sum = { busy: 0, cpu: 0, heat: 0, score: 0 };
  for (const [index, part, way] of [
    [mix.low, 1 - share, ways.low],
    [mix.high, share, ways.high],
  ]) {
    const rung = ladder[index];
    const run = rung.ways?.[way] ?? waysOf(rung.costMs)[0];
    const cpu = (fps * part * run.cpuMs) / 1000 / BUSIEST;
    sum.busy += (fps * part * run.costMs) / 1000;
    sum.cpu += cpu;
    sum.heat += cpu * (run.threads === 1 ? factor : 1);
    sum.score += fps * part * rung.accuracy;
  }
  return sum;
}

console.log(
  'board           factor  three threads  chosen   gain  learnt of one thread  the hottest',
);
let fine = true;
for (const board of BOARDS.filter(({ name }) => values.boards.split(',').includes(name))) {
  const fixed = run(board, false, 1);
  for (const factor of [0.8, 1, 1.3]) {
    const free = run(board, true, factor);
    const gain = free.quality - fixed.quality;
    fine &&= gain >= -MOST_LOST && free.overC < 0;
    const cells = [
      board.name.padEnd(16),
      String(factor).padStart(5),
      fixed.quality.toFixed(2).padStart(14),
      free.quality.toFixed(2).padStart(7),
      gain.toFixed(2).padStart(6),
      (free.knobs[1] ?? 1).toFixed(2).padStart(21),
      `${free.overC.toFixed(1)} °C`.padStart(12),
    ];
    console.log(cells.join(' '));
  }
}
process.exitCode = fine ? 0 : 1;
