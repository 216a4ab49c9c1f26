// Runs the governor on random boards, ladders, callers, sensors and courses of events, in a
// simulator that shares no code with src/simulator, and holds it to its bars.
// Usage: npm run bench:governor -- --random 500 [--seed 1] [--course a,b] [--list]
// Courses with neighbours and creeping faults (adversary/neighbours.js) are run when named.
import { parseArgs } from 'node:util';
import { judge } from './adversary/judge.js';
import { COURSE_NAMES } from './adversary/scenario.js';

const { values } = parseArgs({
  options: {
    random: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    course: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const only = values.course === undefined ? COURSE_NAMES : values.course.split(',');
const first = Number(values.seed);
const runs = [];
for (let seed = first; seed < first + Number(values.random); seed += 1) {
  const run = judge(seed, { only });
  runs.push(run);
  if (values.list) console.log(JSON.stringify(run));
}

const mean = (list) => list.reduce((sum, x) => sum + x, 0) / Math.max(1, list.length);
const worst = (list, value) =>
  list.reduce(
    (top, r) => (value(r) !== null && (top === null || value(r) > value(top)) ? r : top),
    null,
  );
const feasible = runs.filter((r) => r.feasible);
const sound = feasible.filter((r) => !r.fault);
const faults = feasible.filter((r) => r.fault);

/** As in bench/lab/bars.ts: who knows the board may take longer than three minutes, too, or never be back. */
function recoveryOver({ recoveryS, oracleRecoveryS }) {
  if (recoveryS === null) return null;
  const best = Math.max(180, oracleRecoveryS);
  return best === Infinity ? 0 : recoveryS - best;
}

function bar(name, list, value, limit) {
  const valued = list.filter((r) => value(r) !== null);
  const bad = valued.filter((r) => value(r) > limit);
  const top = worst(valued, value);
  const figure = top === null ? 0 : value(top);
  const who = top === null ? '' : `seed ${top.seed} ${top.course}`;
  console.log(
    `${bad.length > 0 ? '✗' : ' '} ${name.padEnd(50)} ${figure.toFixed(2).padStart(8)} (bar ${limit.toFixed(2)})  ${bad.length} of ${valued.length} miss  ${who}`,
  );
}

console.log(`${runs.length} runs, ${feasible.length} feasible, seeds from ${first}`);
const gap = mean(feasible.map((r) => r.gap));
console.log(
  `${gap > 1.4 ? '✗' : ' '} mean gap, feasible ${gap.toFixed(3)} (bar 1.4); sound ${mean(sound.map((r) => r.gap)).toFixed(3)}; faults ${mean(faults.map((r) => r.gap)).toFixed(3)}; the oracle at limit − 1.5 °C without foresight ${mean(sound.map((r) => r.blindGap)).toFixed(3)}`,
);
bar('feasible, sound: seconds at the limit', sound, (r) => r.atLimit, 0);
bar('feasible, sound: peak', sound, (r) => r.peak, -0.5);
bar(
  '  of which: not beyond what foresight alone avoids',
  sound.filter((r) => r.blindPeak <= -0.5 && r.oraclePeak <= -0.49),
  (r) => r.peak,
  -0.5,
);
bar('faults: seconds at the limit', faults, (r) => r.atLimit, 2);
bar('sound sensor: seconds of false alarm', runs, (r) => r.alarmS, 0);
bar(
  'infeasible: seconds beyond unavoidable',
  runs.filter((r) => !r.feasible && !r.fault),
  (r) => r.over,
  5,
);
bar("restless: unexplained budget variation / step_wise's", runs, (r) => r.variation, 1 / 3);
bar(
  'restless: avoidable seconds',
  runs.filter((r) => r.variation !== null),
  (r) => r.over,
  0,
);
bar('recovery beyond 3 min or the oracle, s', feasible, recoveryOver, 0);
bar('steady: pair changes an hour', runs, (r) => r.pairs, 12);
console.log('\ncourse            runs   gap  blind  worst peak  at limit s  alarms');
for (const name of only) {
  const of = runs.filter((r) => r.course === name);
  const ok = of.filter((r) => r.feasible);
  if (ok.length === 0) continue;
  console.log(
    name.padEnd(16),
    `${ok.length}/${of.length}`.padStart(6),
    mean(ok.map((r) => r.gap))
      .toFixed(2)
      .padStart(6),
    mean(ok.map((r) => r.blindGap))
      .toFixed(2)
      .padStart(6),
    Math.max(...ok.map((r) => r.peak))
      .toFixed(2)
      .padStart(9),
    mean(ok.map((r) => r.atLimit))
      .toFixed(2)
      .padStart(11),
    mean(of.map((r) => r.alarmS))
      .toFixed(1)
      .padStart(8),
  );
}
