// Runs the governor on every simulated board through every scenario and holds it to its bars.
// Usage: npm run bench:governor [-- --seeds 1] [--boards a,b] [--scenarios a,b]
// Prints one JSON line a figure, then a table; ends with 1 when a bar is missed.
import { parseArgs } from 'node:util';
import { benchRun, contest, figures } from '../.build/bench/lab/bars.js';
import { REFERENCE_NAMES } from '../.build/bench/lab/references.js';
import { boardLadder } from '../dist/simulator/board-ladder.js';
import { BOARDS } from '../dist/simulator/boards.js';
import { SCENARIO_NAMES } from '../dist/simulator/scenarios.js';
import { scoreRun } from '../dist/simulator/score.js';
import { createGovernor } from '../dist/thermal/governor.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    boards: { type: 'string' },
    scenarios: { type: 'string' },
    runs: { type: 'boolean', default: false },
  },
});
const boards = values.boards
  ? BOARDS.filter((board) => values.boards.split(',').includes(board.name))
  : BOARDS;
const scenarios = values.scenarios ? values.scenarios.split(',') : SCENARIO_NAMES;
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);

const runs = [];
for (const board of boards) {
  for (const scenario of scenarios) {
    for (const seed of seeds) {
      const run = benchRun(board, scenario, seed);
      runs.push(run);
      if (values.runs) console.log(JSON.stringify(run));
    }
  }
  console.error(`${board.name}: done`);
}

const result = figures(runs);
for (const figure of result) console.log(JSON.stringify(figure));

console.log('\nbar'.padEnd(52), 'value'.padStart(8), 'limit'.padStart(8), ' runs', ' decided by');
for (const f of result) {
  const mark = f.pass ? ' ' : '✗';
  const cells = [f.bar.padEnd(50), f.value.toFixed(2).padStart(8), f.limit.toFixed(2).padStart(8)];
  console.log(mark, ...cells, String(f.runs).padStart(5), ` ${f.worst}`);
}

console.log('\nmean gap by scenario (feasible runs, points)');
for (const name of scenarios) {
  const gaps = runs.filter((r) => r.scenario === name && r.feasible).map((r) => r.gap);
  console.log(`  ${name.padEnd(20)} ${mean(gaps).toFixed(2).padStart(6)}  (${gaps.length} runs)`);
}

console.log('\ngovernors on the feasible runs of seed 1, sound sensors');
const yardstick = runs.filter((r) => r.feasible && r.seed === 1 && !r.faulty);
printGovernor(
  'mobilenetd',
  yardstick.map((r) => ({ gap: r.gap, score: r.score })),
);
for (const governor of REFERENCE_NAMES) {
  const rows = yardstick.map((r) => {
    const board = BOARDS.find((b) => b.name === r.board);
    const score = scoreRun(contest(board, r.scenario, governor, r.seed), board.limitC);
    return { gap: r.oracle.quality - score.quality, score };
  });
  printGovernor(governor, rows);
}
printDecisionTime();
process.exitCode = result.every((f) => f.pass) ? 0 : 1;

/** Time of one decision on this machine: median of 40 000, near the target and busy. */
function printDecisionTime() {
  const board = boards[0];
  const governor = createGovernor({
    ladder: boardLadder(board),
    limitC: board.limitC,
    requestedFps: board.requestedFps,
  });
  const times = [];
  for (let timeS = 1; timeS <= 40_000; timeS += 1) {
    const sample = {
      timeS,
      tempC: board.limitC - 2 + Math.sin(timeS / 9),
      requestedFps: board.requestedFps,
      deliveredFps: board.requestedFps,
      latencyMs: null,
      rung: timeS % 3,
      throttledFlags: 0,
      cpuUtil: 0.5,
    };
    const start = performance.now();
    governor.decide(sample);
    times.push((performance.now() - start) * 1000);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * times.length)].toFixed(1);
  console.log(`\none decision: median ${at(0.5)} µs, 99 % within ${at(0.99)} µs`);
}

function printGovernor(name, rows) {
  const over = rows.reduce((sum, r) => sum + r.score.secondsAtLimit, 0);
  const peak = Math.max(...rows.map((r) => r.score.peakC));
  const variation = mean(rows.map((r) => r.score.budgetVariation));
  console.log(
    `  ${name.padEnd(12)} gap ${mean(rows.map((r) => r.gap))
      .toFixed(2)
      .padStart(6)}`,
    ` at limit ${String(over).padStart(6)} s  peak ${peak.toFixed(1).padStart(5)} °C`,
    ` budget variation ${variation.toFixed(1).padStart(6)}/h`,
  );
}

function mean(list) {
  return list.length === 0 ? 0 : list.reduce((sum, x) => sum + x, 0) / list.length;
}
