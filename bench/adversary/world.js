// A random board in a random course of events, and the drivers that run on it: the governor behind
// the door its callers use, the clairvoyant oracle, the floor and Linux's step_wise.
import { advance, flagsOf, settle } from './board.js';
import { createDraw } from './draw.js';

/** What inference keeps of the CPU when others want all of it. */
const LEAST_SPEED = 0.4;

/** Speed of inference (1: as measured) beside foreign load at a clock. */
function speedOf(setup, foreign, clock) {
  return clock * Math.min(1, Math.max(LEAST_SPEED, (1 - foreign) / setup.board.share));
}

/** Work of `frames` ([rung, frames a second]): what is delivered, its accuracy, its heat. */
function work(setup, frames, at, clock) {
  const { ladder, heat, board } = setup;
  const speed = speedOf(setup, at.foreign, clock);
  let wanted = 0;
  for (const [r, fps] of frames) wanted += (fps * ladder[r].costMs) / 1000 / speed;
  const scale = wanted > 1 ? 1 / wanted : 1;
  let [delivered, score, cost, hot] = [0, 0, 0, 0];
  for (const [r, fps] of frames) {
    const f = fps * scale;
    const busy = (f * ladder[r].costMs) / 1000;
    delivered += f;
    score += f * ladder[r].accuracy;
    cost += busy;
    hot += busy * heat[r];
  }
  const own = (cost * board.share) / clock;
  const foreign = Math.min(at.foreign, Math.max(0, 1 - own));
  return {
    delivered,
    score,
    util: (hot * board.share) / clock + foreign,
    cpuUtil: Math.min(1, own + foreign),
    latencyMs: delivered > 0 ? (1000 * cost) / delivered / speed : null,
    busy: Math.min(1, wanted),
  };
}

/**
 * Runs one driver. `driver.next(sample, plant)` returns {frames, …}; frames are [rung, fps] pairs.
 * Returns one point a call: {t, dt, peak, die, score, requested, budget, low, high, fps, mode, fault}.
 */
export function run(setup, driver, { regular = true, keep = false } = {}) {
  const { board, scenario, caller, seed } = setup;
  const draw = createDraw(seed * 31 + 7);
  const s = settle(board, scenario.at(0), scenario.startUtil);
  const sensor = scenario.sensor ?? board.sensor;
  let seen = s.die;
  let frozen = null;
  let t = 0;
  let done = null;
  let rung = 0;
  const read = () => {
    const noisy = seen + sensor.offsetC + sensor.noiseC * draw.normal();
    const steps = noisy / sensor.stepC;
    const reading = (sensor.down ? Math.floor(steps) : Math.round(steps)) * sensor.stepC;
    const f = scenario.fault;
    if (f === null || t < f.fromS || t >= f.untilS) return reading;
    if (f.when !== undefined && !f.when(t)) return reading;
    frozen ??= reading;
    return f.corrupt(reading, frozen, t);
  };
  const points = [];
  while (t < scenario.durationS) {
    const at = scenario.at(t);
    const requested = setup.requestedFps * at.demand;
    const sample = {
      timeS: t + caller.startS,
      tempC: read(),
      requestedFps: requested,
      deliveredFps: done === null ? 0 : caller.whole ? Math.round(done.delivered) : done.delivered,
      latencyMs:
        done === null || done.latencyMs === null || !caller.latency
          ? null
          : done.latencyMs * (1 + 0.04 * draw.normal()),
      rung,
      throttledFlags: caller.flags(flagsOf(board, s), draw),
      cpuUtil:
        !caller.util || done === null
          ? null
          : Math.min(1, Math.max(0, done.cpuUtil + 0.02 * draw.normal())),
    };
    if (caller.busy && done !== null) sample.busy = done.busy;
    const dt =
      regular || caller.regular
        ? 1
        : draw.chance(0.02)
          ? draw.between(2, 5)
          : draw.between(0.9, 1.2);
    const move = driver.next(sample, { s, at, dt, requested });
    rung = move.rung ?? move.frames[0][0];
    done = work(setup, move.frames, at, s.clock);
    const k = sensor.lagS > 0 ? sensor.lagS : 1e-9;
    const peak = advance(board, s, at, done.util, dt, (h) => {
      seen += (s.die - seen) * (1 - Math.exp(-h / k));
    });
    t += dt;
    const { budget, low, high, fps, fault, d } = move;
    const { score } = done;
    points.push({
      t,
      dt,
      peak,
      die: s.die,
      score,
      requested,
      budget,
      low,
      high,
      fps,
      fault,
      foreign: at.foreign,
      ...(keep && { d, sample, at }),
    });
  }
  return points;
}

/** Frames of a mix. */
export function framesOf({ low, high, fraction }, fps) {
  return low === high
    ? [[low, fps]]
    : [
        [low, fps * (1 - fraction)],
        [high, fps * fraction],
      ];
}

/** The governor, asked and obeyed as `caller` does. */
export function governed(setup, governor) {
  const { caller } = setup;
  return {
    next(sample) {
      const d = governor.decide(sample);
      const frames = caller.mixes ? framesOf(d.mix, d.fps) : [[d.rung, d.fps]];
      const { low, high } = d.mix;
      const told = !caller.mixes || caller.tells === 'rung' ? d.rung : d.mix[caller.tells];
      return { frames, rung: told, budget: d.budget, low, high, fps: d.fps, fault: d.fault, d };
    },
  };
}

export function floored() {
  return {
    next: (sample) => ({
      frames: [[0, sample.requestedFps]],
      budget: 0,
      low: 0,
      high: 0,
      fps: 0,
      fault: null,
    }),
  };
}

/** Linux's step_wise on the ladder. */
export function stepWise(setup, tripC) {
  let rung = setup.ladder.length - 1;
  let last = null;
  return {
    next(sample) {
      const c = Number.isFinite(sample.tempC) ? sample.tempC : (last ?? tripC);
      const trend = last === null ? 0 : Math.sign(c - last);
      last = c;
      if (c >= tripC && trend > 0) rung -= 1;
      if (c < tripC && trend < 0) rung += 1;
      rung = Math.min(setup.ladder.length - 1, Math.max(0, rung));
      const budget = Math.min(1, (sample.requestedFps * setup.ladder[rung].costMs) / 1000);
      return {
        frames: [[rung, sample.requestedFps]],
        budget,
        low: rung,
        high: rung,
        fps: 0,
        fault: null,
      };
    },
  };
}

/**
 * Knows the plant and (unless `blind`) the next second; picks the best fractional mix that keeps the
 * die at or below `targetC`. A blind one takes the next second to be like the last.
 */
export function oracle(setup, targetC, { blind = false } = {}) {
  const hull = hullOf(setup);
  let before = null;
  let last = 0;
  return {
    next(_sample, { s, at, dt, requested }) {
      const known = blind && before !== null ? before : at;
      before = at;
      const peak = (budget) => {
        const frames = spend(hull, budget, requested);
        return advance(setup.board, { ...s }, known, work(setup, frames, known, s.clock).util, dt);
      };
      let high = Math.min(
        speedOf(setup, known.foreign, s.clock),
        (hull.at(-1).cost * requested) / 1000,
      );
      let low = 0;
      if (peak(high) <= targetC) low = high;
      else {
        // The last budget is a good first guess.
        let width = 0.02;
        if (last > 0 && last < high) {
          while (last + width < high && peak(last + width) <= targetC) width *= 4;
          high = Math.min(high, last + width);
          low = Math.max(0, last - 0.02);
          if (peak(low) > targetC) low = 0;
        }
        for (let i = 0; i < 12 && high - low > 1e-4; i += 1) {
          const middle = (low + high) / 2;
          if (peak(middle) <= targetC) low = middle;
          else high = middle;
        }
      }
      last = low;
      return {
        frames: spend(hull, low, requested),
        budget: low,
        low: 0,
        high: 0,
        fps: 0,
        fault: null,
      };
    },
  };
}

/**
 * Knows the plant and the future. Spends each second the most with which the limit stays avoidable
 * for three minutes: were nothing more done from then on, the die would stay at or below `targetC`.
 */
export function planner(setup, targetC) {
  const hull = hullOf(setup);
  const { board, scenario } = setup;
  let last = 0;
  let t = 0;
  const survives = (state) => {
    const copy = { ...state };
    for (let ahead = 0; ahead < PLAN_S; ahead += 1) {
      const at = scenario.at(t + 1 + ahead);
      const { util } = work(setup, [], at, copy.clock);
      if (advance(board, copy, at, util, 1, undefined, PLAN_STEP_S) > targetC) return false;
    }
    return true;
  };
  return {
    next(_sample, { s, at, dt, requested }) {
      const fits = (budget) => {
        const copy = { ...s };
        const { util } = work(setup, spend(hull, budget, requested), at, s.clock);
        return advance(board, copy, at, util, dt) <= targetC && survives(copy);
      };
      const most = Math.min(
        speedOf(setup, at.foreign, s.clock),
        (hull.at(-1).cost * requested) / 1000,
      );
      last = largest(most, last, fits);
      t += dt;
      return {
        frames: spend(hull, last, requested),
        budget: last,
        low: 0,
        high: 0,
        fps: 0,
        fault: null,
      };
    },
  };
}

/** Seconds for which the limit must stay avoidable, and the steps in which they are looked at. */
const PLAN_S = 180;
const PLAN_STEP_S = 0.5;

/** The largest budget up to `most` that fits, found from a guess. */
function largest(most, guess, fits) {
  if (fits(most)) return most;
  let [low, high] = [0, most];
  if (guess > 0 && guess < most) {
    if (fits(guess)) {
      low = guess;
      for (let width = 0.01; guess + width < most; width *= 3) {
        if (!fits(guess + width)) {
          high = guess + width;
          break;
        }
        low = guess + width;
      }
    } else {
      high = guess;
      for (let width = 0.01; guess - width > 0; width *= 3) {
        if (fits(guess - width)) {
          low = guess - width;
          break;
        }
        high = guess - width;
      }
    }
  }
  while (high - low > 0.002) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Corners of the concave hull of (heat, accuracy), from "no frame". */
function hullOf({ ladder, heat }) {
  const hull = [{ cost: 0, hot: 0, accuracy: 0, rung: -1 }];
  const rungs = ladder.map(({ costMs, accuracy }, rung) => ({
    cost: costMs,
    hot: costMs * heat[rung],
    accuracy,
    rung,
  }));
  rungs.sort((a, b) => a.hot - b.hot);
  for (const next of rungs) {
    const slope = (a, b) => (b.accuracy - a.accuracy) / Math.max(1e-9, b.hot - a.hot);
    while (hull.length > 1 && slope(hull.at(-2), hull.at(-1)) <= slope(hull.at(-1), next))
      hull.pop();
    if (next.accuracy > hull.at(-1).accuracy) hull.push(next);
  }
  return hull;
}

function spend(hull, budget, fps) {
  const perFrame = (1000 * budget) / fps;
  let i = 0;
  while (i < hull.length - 2 && perFrame > hull[i + 1].cost) i += 1;
  const [a, b] = [hull[i], hull[i + 1]];
  const share = Math.min(1, Math.max(0, (perFrame - a.cost) / (b.cost - a.cost)));
  if (a.rung < 0) return [[b.rung, fps * share]];
  return [
    [a.rung, fps * (1 - share)],
    [b.rung, fps * share],
  ];
}
