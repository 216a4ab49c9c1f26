// One random run and how it stands against the governor's bars, taken by the letter.
import { createGovernor } from '../../dist/thermal/governor.js';
import { drawBoard, drawLadder } from './board.js';
import { createDraw } from './draw.js';
import { COURSE_NAMES, drawScenario, NEIGHBOUR_NAMES } from './scenario.js';
import { floored, governed, oracle, planner, run, stepWise } from './world.js';

const MARGIN_C = 1.5;

function drawCaller(draw) {
  const style = draw.pick(['rung', 'rung', 'mix', 'mix-busy']);
  const flagStyle = draw.pick(['real', 'real', 'none', 'sticky', 'garbage']);
  return {
    style,
    mixes: style !== 'rung',
    busy: style === 'mix-busy',
    tells: draw.pick(['rung', 'high', 'low']),
    whole: draw.chance(0.3),
    latency: draw.chance(0.8),
    util: draw.chance(0.8),
    regular: draw.chance(0.7),
    startS: draw.pick([0, 0, 1e5, -50]),
    flagStyle,
    flags: (real, d) => {
      if (flagStyle === 'real') return real;
      if (flagStyle === 'sticky') return real | 0xf0000;
      if (flagStyle === 'none') return d.chance(0.5) ? null : undefined;
      return d.pick([real, Number.NaN, -1, 'x', null]);
    },
  };
}

/** Everything about run `seed`, reproducible; `only` narrows it to some courses. */
export function drawSetup(seed, only = COURSE_NAMES) {
  const draw = createDraw(seed);
  const board = drawBoard(draw);
  const caller = drawCaller(draw);
  const ladder = drawLadder(draw, caller.mixes);
  return { seed, board, ...ladder, caller, scenario: drawScenario(draw, only[seed % only.length]) };
}

function scored(points, limitC) {
  let [score, requested, atLimit, peak, variation, pairs, time] = [0, 0, 0, -99, 0, 0, 0];
  points.forEach((p, i) => {
    score += p.score * p.dt;
    requested += p.requested * p.dt;
    time += p.dt;
    if (p.peak >= limitC) atLimit += p.dt;
    peak = Math.max(peak, p.peak - limitC);
    const before = points[i - 1];
    if (before === undefined) return;
    variation += Math.abs(p.budget - before.budget);
    if (p.low !== before.low || p.high !== before.high) pairs += 1;
  });
  const hours = time / 3600;
  return {
    quality: score / requested,
    atLimit,
    peak,
    variation: variation / hours,
    pairs: pairs / hours,
  };
}

/** Runs seed and returns its figures; `keep` also returns the points. */
export function judge(seed, { only, keep = false } = {}) {
  const setup = drawSetup(seed, only);
  const { board, scenario, ladder, requestedFps } = setup;
  const { limitC } = board;
  // Among neighbours a greedy one would overheat itself: there the reference plans.
  const reference = NEIGHBOUR_NAMES.includes(scenario.name) ? planner : oracle;
  const best = run(setup, reference(setup, limitC - 0.5));
  const floor = run(setup, floored());
  const options = { ladder, limitC, requestedFps };
  const own = run(setup, governed(setup, createGovernor(options)), { regular: false, keep });
  const [b, f, o] = [best, floor, own].map((points) => scored(points, limitC));
  const feasible = b.atLimit === 0 && f.atLimit === 0;
  // What someone who knows the plant but not the next second can do at limit − margin.
  const blind = scored(run(setup, oracle(setup, limitC - MARGIN_C, { blind: true })), limitC);
  const step = scenario.restless
    ? scored(run(setup, stepWise(setup, limitC - MARGIN_C)), limitC)
    : null;
  const unavoidable = Math.max(b.atLimit, f.atLimit);
  const fault = scenario.fault;
  return {
    seed,
    course: scenario.name,
    caller: setup.caller.style,
    kind: setup.kind,
    feasible,
    fault: fault !== null,
    gap: b.quality - o.quality,
    quality: o.quality,
    blindGap: b.quality - blind.quality,
    atLimit: o.atLimit,
    peak: o.peak,
    oraclePeak: Math.max(b.peak, f.peak),
    blindPeak: blind.peak,
    over: Math.max(0, o.atLimit - unavoidable),
    alarmS: alarm(own, fault),
    recoveryS: recovery(own, scenario),
    oracleRecoveryS: recovery(best, scenario),
    variation:
      step === null || step.variation < 3 ? null : unexplained(own, board.share) / step.variation,
    pairs:
      scenario.name === 'nominal' || scenario.name === 'quiet'
        ? scored(own.slice(own.length / 2), limitC).pairs
        : null,
    ...(keep && { setup, own, best, floor }),
  };
}

/** What a neighbour takes or leaves is answered within so many seconds. */
const ANSWER_S = 3;

/** Σ |change of the budget| an hour beyond what the neighbours' changes just before explain. */
function unexplained(points, share) {
  let [sum, time] = [0, 0];
  points.forEach((p, i) => {
    time += p.dt;
    if (i === 0) return;
    let explained = 0;
    for (let at = i; at > Math.max(0, i - ANSWER_S); at -= 1)
      explained += Math.abs(points[at].foreign - points[at - 1].foreign) / share;
    sum += Math.max(0, Math.abs(p.budget - points[i - 1].budget) - explained);
  });
  return (3600 * sum) / time;
}

/** Seconds in fault while the sensor was sound (up to a minute to believe it again). */
function alarm(points, fault) {
  let sum = 0;
  for (const p of points) {
    const sound = fault === null || p.t < fault.fromS || p.t > fault.untilS + 60;
    if (
      p.fault !== null &&
      sound &&
      !(fault !== null && p.t > fault.fromS && fault.corrupt.length > 0)
    )
      sum += p.dt;
  }
  return sum;
}

function recovery(points, { disturbedFromS, calmFromS }) {
  if (calmFromS === null) return null;
  const sums = [[0, 0, 0]];
  for (const p of points) {
    const [, score, requested] = sums.at(-1);
    sums.push([p.t, score + p.score * p.dt, requested + p.requested * p.dt]);
  }
  const at = (t) => sums.findLast((x) => x[0] <= t);
  const mean = (a, b) => (b[1] - a[1]) / Math.max(1e-9, b[2] - a[2]);
  const earlier = mean(at(disturbedFromS - 300), at(disturbedFromS));
  for (let i = sums.indexOf(at(calmFromS)); i + 20 < sums.length; i += 1) {
    if (mean(sums[i], sums[i + 20]) >= 0.99 * earlier) return sums[i][0] - calmFromS;
  }
  return Infinity;
}
