// Random courses of events around a board. `at(t)` gives the conditions of second t.

import { CREEPING, NEIGHBOURS } from './neighbours.js';

const CALM = { sunW: 0, foreign: 0.03, demand: 1, fanWorks: true };

/** Seconds in which a random telegraph is on: exponential on and off times. */
function telegraph(draw, onS, offS, fromS, untilS) {
  const edges = [];
  for (let t = fromS; t < untilS; ) {
    const start = t - offS * Math.log(1 - draw.next());
    t = start - onS * Math.log(1 - draw.next());
    edges.push([start, t]);
  }
  return (s) => edges.some(([a, b]) => s >= a && s < b);
}

const COURSES = {
  nominal: () => ({}),
  'ambient-step': (d, base) => {
    const [start, by, over] = [d.between(900, 1500), d.between(8, 18), d.log(1, 600)];
    return { at: (t) => ({ ambientC: base + by * Math.min(1, Math.max(0, (t - start) / over)) }) };
  },
  'ambient-fall': (d, base) => {
    const [start, by, over] = [d.between(900, 1500), d.between(5, 15), d.log(1, 600)];
    return { at: (t) => ({ ambientC: base - by * Math.min(1, Math.max(0, (t - start) / over)) }) };
  },
  sun: (d) => {
    const [start, power] = [d.between(900, 1500), d.between(0.15, 0.5)];
    return disturbed(start, start + 1000, (on) => ({ sunW: on ? power : 0 }));
  },
  hog: (d) => {
    const [start, share] = [d.between(900, 1500), d.between(0.25, 0.6)];
    return disturbed(start, start + d.between(300, 1200), (on) => ({ foreign: on ? share : 0.03 }));
  },
  bursts: (d) => {
    const on = telegraph(d, d.between(4, 40), d.between(10, 90), 600, 3600);
    const share = d.between(0.25, 0.6);
    return { at: (t) => ({ foreign: on(t) ? share : 0.03 }) };
  },
  'square-wave': (d) => {
    const share = d.between(0.25, 0.6);
    return { restless: true, at: (t) => ({ foreign: t > 600 && t % 90 < 45 ? share : 0.03 }) };
  },
  spikes: (d) => {
    const [period, long, share] = [d.between(20, 120), d.between(2, 8), d.between(0.4, 0.9)];
    return {
      restless: true,
      at: (t) => ({ foreign: t > 600 && t % period < long ? share : 0.03 }),
    };
  },
  ramp: (d) => {
    const [period, share] = [d.between(900, 2400), d.between(0.3, 0.7)];
    const wave = (t) => Math.abs((((t - 300) / period) % 2) - 1);
    return { at: (t) => ({ foreign: t < 300 ? 0.03 : share * (1 - wave(t)) }) };
  },
  'sun-shade': (d) => {
    const [period, power] = [d.between(180, 600), d.between(0.15, 0.5)];
    return {
      restless: true,
      at: (t) => ({ sunW: t > 600 && t % period < period / 2 ? power : 0 }),
    };
  },
  'frame-rate': (d) => {
    const levels = Array.from({ length: 12 }, () => d.pick([0.2, 0.5, 1, 1, 1.5]));
    return { at: (t) => ({ demand: t < 600 ? 1 : levels[Math.floor((t - 600) / 300) % 12] }) };
  },
  'fan-failure': (d) => {
    const start = d.between(900, 1800);
    return { at: (t) => ({ fanWorks: t < start }) };
  },
  'hot-start': (d) => ({ startUtil: d.between(0.3, 0.9) }),
  diurnal: (d, base) => {
    const [swing, power] = [d.between(4, 10), d.between(0.05, 0.3)];
    const clouds = telegraph(d, 300, 300, 0, 7200);
    const day = (t) => Math.max(0, Math.sin((Math.PI * (t - 600)) / 6000));
    return {
      durationS: 7200,
      at: (t) => ({ ambientC: base - 4 + swing * day(t), sunW: clouds(t) ? 0 : power * day(t) }),
    };
  },
  combined: (d, base) => {
    const on = telegraph(d, 60, 120, 900, 3600);
    const [share, power, by] = [d.between(0.15, 0.4), d.between(0.1, 0.3), d.between(3, 9)];
    return {
      at: (t) => ({
        foreign: on(t) ? share : 0.03,
        sunW: t > 1600 && t < 2600 ? power : 0,
        ambientC: base + by * Math.min(1, Math.max(0, (t - 1000) / 900)),
        demand: t > 2900 ? 0.7 : 1,
      }),
    };
  },
  'fault-missing': (d) => fault(d, () => null),
  'fault-nan': (d) => fault(d, () => Number.NaN),
  'fault-garbage': (d) =>
    fault(d, () => d.pick([d.between(-60, 200), Number.NaN, 1e6, -273, 'x', undefined])),
  'fault-frozen': (d) => fault(d, (_, first) => first),
  'fault-high': (d) => fault(d, () => 127 - d.int(0, 1) * 17),
  'fault-low': (d) => fault(d, () => d.pick([0, 25, 25, 25, 30])),
  'fault-offset': (d) => {
    const by = d.between(8, 25) * (d.chance(0.5) ? 1 : -1);
    return fault(d, (reading) => reading + by);
  },
  // A sound sensor that is quiet and coarse, on a board near its target: nothing may be doubted.
  quiet: (d) => ({
    sensor: {
      lagS: d.between(0, 2),
      noiseC: d.pick([0, 0, 0.02]),
      stepC: 1,
      down: true,
      offsetC: 0,
    },
  }),
};

export const COURSE_NAMES = Object.keys(COURSES);
export const NEIGHBOUR_NAMES = Object.keys(NEIGHBOURS);
export const CREEPING_NAMES = Object.keys(CREEPING);

function disturbed(fromS, untilS, at) {
  return { disturbedFromS: fromS, calmFromS: untilS, at: (t) => at(t >= fromS && t < untilS) };
}

function fault(d, corrupt) {
  const fromS = d.between(1000, 1600);
  const untilS = fromS + d.pick([20, 120, 600, 4000]);
  const push = d.chance(0.5) ? d.between(0.1, 0.4) : 0.03;
  const pushFromS = fromS + d.between(0, 120);
  return {
    fault: { fromS, untilS, corrupt },
    at: (t) => ({ foreign: t > pushFromS ? push : 0.03 }),
  };
}

export function drawScenario(draw, name) {
  const base = draw.between(10, 34);
  const course = COURSES[name] ?? NEIGHBOURS[name] ?? CREEPING[name];
  const { at, ...rest } = course(draw, base);
  const calm = { ...CALM, ambientC: base };
  return {
    name,
    durationS: 3600,
    startUtil: 0,
    restless: false,
    fault: null,
    sensor: null,
    disturbedFromS: null,
    calmFromS: null,
    ...rest,
    at: at === undefined ? () => calm : (t) => ({ ...calm, ...at(t) }),
  };
}
