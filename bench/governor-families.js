// Runs the governor on every simulated board beside other programs and failing sensors, against the
// planning oracle (bench/lab/planner.ts) where neighbours come and go, else the greedy one.
// Usage: npm run bench:governor -- --families [--seeds 3] [--boards a,b] [--only square-130,drift]
//   --caller frames: one who mixes frame by frame and tells its own CPU time, as the daemon does
// Prints a row a family; ends with 1 when a goal is missed. --runs adds one JSON line a run.
import { parseArgs } from 'node:util';
import { FAMILIES } from '../.build/bench/lab/families.js';
import { familyFigures, familyRun } from '../.build/bench/lab/family-bars.js';
import { BOARDS } from '../dist/simulator/boards.js';

const { values } = parseArgs({
  options: {
    families: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '3' },
    boards: { type: 'string' },
    only: { type: 'string' },
    runs: { type: 'boolean', default: false },
    caller: { type: 'string', default: 'seconds' },
  },
});
if (!['seconds', 'frames'].includes(values.caller)) {
  console.error(`--caller: expected seconds or frames, found ${values.caller}`);
  process.exit(64);
}
const boards = BOARDS.filter(({ name }) => values.boards?.split(',').includes(name) ?? true);
const names = values.only?.split(',') ?? Object.keys(FAMILIES);
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);

const runs = [];
for (const name of names) {
  for (const board of boards) {
    for (const seed of seeds) {
      const run = familyRun(board, name, seed, values.caller);
      runs.push(run);
      if (values.runs) console.log(JSON.stringify(run));
    }
  }
  console.error(`${name}: done`);
}

const figures = familyFigures(runs);
console.log(`  ${'family'.padEnd(54)} runs    gap (goal)  worst  at the limit, s (goal)  widest`);
for (const f of figures) {
  const cells = [
    f.says.padEnd(54),
    String(f.runs).padStart(4),
    f.meanGap.toFixed(2).padStart(6),
    `(${f.goalGap})`.padStart(6),
    f.worstGap.toFixed(1).padStart(6),
    String(f.worstS).padStart(15),
    `(${f.goalS})`.padStart(6),
    ` ${f.widest}`,
  ];
  console.log(f.pass ? ' ' : '✗', ...cells);
}
process.exitCode = figures.length > 0 && figures.every(({ pass }) => pass) ? 0 : 1;
