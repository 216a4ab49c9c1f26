import type { Random } from '#mobilenetd/simulator/random.js';
import type { Draft, Drafts, FaultKind } from '#mobilenetd/simulator/scenarios.js';

/** What runs beside us when nothing does, share of the CPU. */
const REST = 0.03;
/** Nobody is there before, so that the board is known, s. */
const ALONE_S = 600;
const HOUR_S = 3600;
const BASE_C = 28;

/** A course of other programs, or of a failing sensor, and what is asked of the governor on it. */
export interface Family {
  readonly says: string;
  /** Mean gap to the reference over the feasible runs, points of quality. */
  readonly gap: number;
  /** Avoidable seconds at the limit in the worst run. */
  readonly atLimitS: number;
  /** Who it is compared with: a greedy oracle would overheat itself among neighbours. */
  readonly reference: 'planner' | 'oracle';
  draw(random: Random): Draft;
}

/** The room among neighbours: in a warm one nobody could keep most boards below their limit. */
const room = (random: Random) => random.between(8, 24);

/** A neighbour in a room: what it takes of the CPU while it is there. */
function neighbour(ambientC: number, share: number, isThere: (timeS: number) => boolean): Draft {
  return { at: (t) => ({ ambientC, foreign: isThere(t) ? share : REST }) };
}

/** It is there for `onS` of every `periodS` seconds. */
const square = (onS: number, periodS: number) => (t: number) =>
  t >= ALONE_S && (t - ALONE_S) % periodS < onS;

/** When a neighbour is there that comes and goes at random: exponential times, three means at most. */
function telegraph(random: Random, onS: number, offS: number): (t: number) => boolean {
  const span = (meanS: number) => Math.min(3 * meanS, -meanS * Math.log(random.between(0.001, 1)));
  const visits: (readonly [fromS: number, untilS: number])[] = [];
  for (let t = ALONE_S; t < HOUR_S; ) {
    const fromS = t + span(offS);
    t = fromS + span(onS);
    visits.push([fromS, t]);
  }
  return (t) => visits.some(([fromS, untilS]) => t >= fromS && t < untilS);
}

/** Five faults of half a minute, with a neighbour in them or none. */
function shortFaults(random: Random, kind: FaultKind): Draft {
  const faults = Array.from({ length: 5 }, (_, i) => {
    const fromS = 900 + 500 * i + random.between(0, 200);
    return { kind, fromS, untilS: fromS + 30 };
  });
  const push = random.between(0, 1) < 0.5 ? random.between(0.1, 0.4) : REST;
  const inFault = (t: number) => faults.some((f) => t >= f.fromS && t < f.untilS);
  return { faults, at: (t) => ({ foreign: inFault(t) ? push : REST }) };
}

/** A room that warms, from a moment on, over so many seconds. */
const warming = (fromS: number, byC: number, overS: number) => (t: number) => ({
  ambientC: BASE_C + byC * Math.min(1, Math.max(0, (t - fromS) / overS)),
});

function frozenWarming(random: Random): Draft {
  const fromS = random.between(1000, 1400);
  const faults = [{ kind: 'frozen', fromS, untilS: fromS + 1200 } as const];
  return { faults, at: warming(fromS, 12, 1200) };
}

function lostHour(random: Random): Draft {
  const fromS = random.between(1000, 1400);
  const faults = [{ kind: 'missing', fromS, untilS: fromS + 3000 } as const];
  const push = random.between(0, 1) < 0.5 ? random.between(0.1, 0.4) : REST;
  const [beginsS, warm] = [fromS + random.between(300, 2000), warming(fromS, 12, 3000)];
  const at = (t: number) => ({
    ...warm(t),
    foreign: t >= beginsS && t < beginsS + 400 ? push : REST,
  });
  return { durationS: 5400, faults, at };
}

/** The room warms by more than a model that sees nothing leaves room for. */
function unseenHeat(random: Random): Draft {
  const fromS = random.between(1000, 1400);
  const faults = [{ kind: 'missing', fromS, untilS: fromS + 1200 } as const];
  const warm = warming(fromS, 25, 600);
  return { faults, senses: { flags: false }, at: (t) => ({ ambientC: warm(t).ambientC - 10 }) };
}

const share = (random: Random) => random.between(0.6, 0.9);
const COMES_AND_GOES = { reference: 'planner', atLimitS: 0 } as const;

/** What an hour beside other programs is made of; the goals are those of docs/governor.md. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  alone: {
    says: 'nothing else runs',
    gap: 0.6,
    atLimitS: 0,
    reference: 'oracle',
    draw: () => ({}),
  },
  'hog-minutes': {
    ...COMES_AND_GOES,
    says: '60 to 90 % of the CPU for minutes',
    gap: 2,
    draw: (r) => {
      const [fromS, lastsS, part] = [r.between(900, 1500), r.between(180, 1200), share(r)];
      return neighbour(room(r), part, (t) => t >= fromS && t < fromS + lastsS);
    },
  },
  'square-130': {
    ...COMES_AND_GOES,
    says: 'comes and goes: 50 of every 130 s',
    gap: 6,
    draw: (r) => neighbour(room(r), share(r), square(50, 130)),
  },
  'square-400': {
    ...COMES_AND_GOES,
    says: 'comes and goes: 160 of every 400 s',
    gap: 5,
    draw: (r) => neighbour(room(r), share(r), square(160, 400)),
  },
  'square-any': {
    ...COMES_AND_GOES,
    says: 'any square of 20 to 600 s',
    gap: 6,
    draw: (r) => {
      const periodS = 20 * 30 ** r.between(0, 1);
      const isThere = square(periodS * r.between(0.2, 0.6), periodS);
      return neighbour(room(r), r.between(0.3, 0.95), isThere);
    },
  },
  poisson: {
    ...COMES_AND_GOES,
    says: 'half minutes at random, a quarter of the time',
    gap: 8,
    draw: (r) => neighbour(room(r), share(r), telegraph(r, 30, 90)),
  },
  'takes-the-rest': {
    ...COMES_AND_GOES,
    says: 'takes what we leave',
    gap: 6,
    draw: (r) => {
      const isThere = telegraph(r, r.between(60, 400), r.between(60, 400));
      return neighbour(room(r), 1, isThere);
    },
  },
  'short-missing': shortFamily('missing', 'says nothing'),
  'short-garbage': shortFamily('garbage', 'says anything'),
  'short-low': shortFamily('stuck', 'says 25 °C'),
  'frozen-warming': {
    says: 'frozen for 20 min while the room warms by 12 °C',
    gap: 6,
    atLimitS: 0,
    reference: 'oracle',
    draw: frozenWarming,
  },
  'frozen-second': {
    says: 'the same, with a second sensor on the board',
    gap: 2,
    atLimitS: 0,
    reference: 'oracle',
    draw: (r) => ({ ...frozenWarming(r), senses: { second: true } }),
  },
  'lost-hour': {
    says: 'says nothing for 50 min while the room warms by 12 °C',
    gap: 22,
    atLimitS: 0,
    reference: 'oracle',
    draw: lostHour,
  },
  'lost-hour-second': {
    says: 'the same, with a second sensor on the board',
    gap: 5,
    atLimitS: 0,
    reference: 'oracle',
    draw: (r) => ({ ...lostHour(r), senses: { second: true } }),
  },
  'unseen-heat': {
    says: 'says nothing while the room warms by 25 °C, no flags',
    gap: 12,
    // Nothing tells of it.
    atLimitS: 900,
    reference: 'oracle',
    draw: unseenHeat,
  },
  'unseen-heat-clock': {
    says: 'the same, and the clock can be read',
    gap: 12,
    atLimitS: 90,
    reference: 'oracle',
    draw: (r) => ({ ...unseenHeat(r), senses: { flags: false, clock: true } }),
  },
  drift: {
    says: 'drifts by ±4 °C over an hour',
    gap: 2,
    atLimitS: 0.5,
    reference: 'oracle',
    draw: (r) => {
      const fromS = r.between(300, 900);
      const driftC = r.between(0, 1) < 0.5 ? 4 : -4;
      return {
        durationS: 4500,
        faults: [{ kind: 'drift', fromS, untilS: fromS + HOUR_S, driftC }],
      };
    },
  },
};

function shortFamily(kind: FaultKind, does: string): Family {
  return {
    says: `${does} for half a minute, five times an hour`,
    gap: 2,
    atLimitS: 0,
    reference: 'oracle',
    draw: (r) => shortFaults(r, kind),
  };
}

/** The same as scenarios of the simulator. */
export const FAMILY_DRAFTS: Drafts = Object.fromEntries(
  Object.entries(FAMILIES).map(([name, { draw }]) => [name, draw]),
);
