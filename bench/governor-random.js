// Runs the governor on boards it was not tuned on: every plant parameter drawn within ±40 % (the
// resistances to the air ±30 %), random sensors, ladders and scenarios, with the CPU utilisation
// hidden in a third of the runs.
// Usage: node bench/governor-random.js [--runs 150] [--from 1] [--heat]   (npm run build first)
// --heat draws the heat of each rung within ±30 % of what its cost suggests.
import { parseArgs } from 'node:util';
import { BOARDS, boardLadder } from '../dist/thermal/simulate/boards.js';
import { createRandom } from '../dist/thermal/simulate/random.js';
import { simulate } from '../dist/thermal/simulate/run.js';
import { createScenario, SCENARIO_NAMES } from '../dist/thermal/simulate/scenarios.js';
import { isFeasible, scoreRun } from '../dist/thermal/simulate/score.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '150' },
    from: { type: 'string', default: '1' },
    heat: { type: 'boolean', default: false },
  },
});
// The six-hour scenario is slow and the hot start is at the limit before anything is decided.
const names = SCENARIO_NAMES.filter((name) => name !== 'diurnal' && name !== 'hot-start');
const first = Number(values.from);
const results = [];
for (let seed = first; seed < first + Number(values.runs); seed += 1) results.push(run(seed));

const feasible = results.filter((result) => result.feasible);
const mean = (list) => list.reduce((sum, x) => sum + x, 0) / Math.max(1, list.length);
console.log(
  JSON.stringify({
    runs: results.length,
    feasible: feasible.length,
    meanGap: Number(mean(feasible.map((r) => r.gap)).toFixed(2)),
    worstPeakC: Number(Math.max(...feasible.map((r) => r.own.peakC)).toFixed(2)),
    peaksOverHalfDegree: feasible.filter((r) => r.own.peakC > -0.5).length,
    secondsAtLimit: feasible.reduce((sum, r) => sum + r.own.secondsAtLimit, 0),
  }),
);

function run(seed) {
  const random = createRandom(seed * 101);
  const vary = (value, by = 0.4) => value * random.between(1 - by, 1 + by);
  const pick = (list) => list[Math.floor(random.next() * list.length)];
  const base = pick(BOARDS);
  const plant = { ...base.plant };
  for (const key of ['idleDieW', 'boardW', 'dynamicW', 'leakageW', 'dieJK', 'boardJK', 'caseJK']) {
    plant[key] = vary(plant[key]);
  }
  plant.dieToBoardKW = vary(plant.dieToBoardKW);
  plant.boardOutKW = vary(plant.boardOutKW, 0.3);
  plant.caseOutKW = vary(plant.caseOutKW, 0.3);
  const sensor = {
    lagS: random.between(0, 3),
    noiseC: random.next() < 0.3 ? 0 : random.between(0, 0.6),
    stepC: pick([0, 0.49, 0.5, 1]),
  };
  const board = { ...base, plant, sensor, requestedFps: vary(base.requestedFps) };
  const ladder = drawLadder(board, random);
  const heat = values.heat ? ladder.map(() => random.between(0.7, 1.3)) : [];
  const hideUtil = random.next() < 0.33;
  const name = pick(names);
  const score = (governor, hide) =>
    scoreRun(
      simulate({
        board,
        scenario: createScenario(name, seed),
        seed,
        ladder,
        heat,
        governor,
        hideUtil: hide,
      }),
      board.limitC,
    );
  const oracle = score('oracle', false);
  const own = score('mobilenetd', hideUtil);
  const result = {
    own,
    gap: oracle.quality - own.quality,
    feasible: isFeasible(oracle, score('floor', false)),
  };
  if (result.feasible && own.peakC > -0.5) {
    console.error(
      `${seed}: ${base.name} ${name}, sensor ${JSON.stringify(sensor)}: peak ${own.peakC.toFixed(2)} °C`,
    );
  }
  return result;
}

/** All sixteen networks, a random part of them, or four with the costs of an x64 machine's int8. */
function drawLadder(board, random) {
  const all = boardLadder(board);
  const kind = Math.floor(random.next() * 3);
  if (kind === 0) return all;
  if (kind === 1) {
    const some = all.filter(() => random.next() < 0.4);
    return some.length < 2 ? all : some;
  }
  const scale = 900 / board.requestedFps / 11.9;
  const four = [
    [0.25, 128, 39.5, 1.14],
    [0.5, 160, 57.2, 2.87],
    [0.75, 192, 66.1, 6],
    [1, 224, 70.8, 11.9],
  ];
  return four.map(([alpha, size, accuracy, cost]) => ({
    name: `${alpha}_${size}`,
    alpha,
    size,
    accuracy,
    costMs: cost * scale,
  }));
}
