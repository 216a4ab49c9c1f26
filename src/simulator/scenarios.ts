import { createRandom, type Random } from './random.js';

/** What happens around the board at one moment. */
export interface Conditions {
  readonly ambientC: number;
  /** Sunlight absorbed by the housing (or the board), W. */
  readonly sunW: number;
  /** CPU share other programs want, 0 to 1. */
  readonly foreign: number;
  /** Part of the board's usual frame rate that is asked for. */
  readonly demand: number;
  readonly fanWorks: boolean;
}

export type FaultKind = 'missing' | 'garbage' | 'frozen' | 'stuck' | 'drift';

export interface Fault {
  readonly kind: FaultKind;
  readonly fromS: number;
  readonly untilS: number;
  /** How far a sensor that drifts is off in the middle of its fault, °C; it is right at both ends. */
  readonly driftC?: number;
}

/** What a caller can read of the board besides its sensor. */
export interface Senses {
  /** A second sensor, which sits beside the processor. */
  readonly second: boolean;
  /** The processor's clock. */
  readonly clock: boolean;
  /** The firmware's throttle flags. */
  readonly flags: boolean;
  /** The CPU time of the caller's own process. */
  readonly ownCpu: boolean;
}

/** One course of events, drawn from a seed. */
export interface Scenario {
  readonly name: string;
  readonly durationS: number;
  /** Utilisation the board has settled at before the start, 0 to 1. */
  readonly startUtil: number;
  at(timeS: number): Conditions;
  readonly faults: readonly Fault[];
  readonly senses: Senses;
  /** Time a disturbance ends, for the recovery time; null when none does. */
  readonly calmFromS: number | null;
  /** Time that disturbance began. */
  readonly disturbedFromS: number | null;
  /** Judged for smoothness against step_wise. */
  readonly restless: boolean;
}

const NOMINAL: Conditions = { ambientC: 28, sunW: 0, foreign: 0.03, demand: 1, fanWorks: true };
const HOUR = 3600;
const USUAL_SENSES: Senses = { second: false, clock: false, flags: true, ownCpu: false };

/** What differs from an hour of nothing; `at` from the usual surroundings. */
export interface Draft extends Partial<Omit<Scenario, 'at' | 'name' | 'senses'>> {
  readonly senses?: Partial<Senses>;
  at?(t: number): Partial<Conditions>;
}

/** Scenarios by name, each drawn from a generator. */
export type Drafts = Readonly<Record<string, (random: Random) => Draft>>;

const DRAFTS: Drafts = {
  nominal: () => ({}),
  'ambient-step': (r) => {
    const start = r.between(1100, 1300);
    return { at: (t) => ({ ambientC: t < start ? 20 : Math.min(40, 20 + (t - start) / 3) }) };
  },
  sun: (r) => {
    const start = r.between(1100, 1300);
    const power = r.between(1.5, 2.5);
    const end = start + 1200;
    return {
      at: (t) => ({ sunW: t < start || t > end ? 0 : power }),
    };
  },
  'cpu-hog': (r) => {
    const start = r.between(1100, 1300);
    const share = r.between(0.3, 0.5);
    const end = start + 900;
    return {
      at: (t) => ({ foreign: t >= start && t < end ? share : 0.03 }),
      disturbedFromS: start,
      calmFromS: end,
    };
  },
  'frame-rate': (r) => {
    const start = r.between(1000, 1200);
    return {
      at: (t) => ({ demand: t < start ? 1 : t < start + 900 ? 0.4 : t < start + 1500 ? 1.5 : 1 }),
    };
  },
  'sensor-dropout': (r) => fault(r, 'missing'),
  'sensor-garbage': (r) => fault(r, 'garbage'),
  'sensor-frozen': (r) => fault(r, 'frozen'),
  'sensor-stuck-cold': (r) => fault(r, 'stuck'),
  'fan-failure': (r) => {
    const start = r.between(1200, 1500);
    return { at: (t) => ({ fanWorks: t < start }) };
  },
  'hot-start': () => ({ startUtil: 0.75 }),
  diurnal: (r) => {
    const phase = r.between(-600, 600);
    const clouds = r.between(200, 500);
    return {
      durationS: 6 * HOUR,
      at: (t) => {
        const day = Math.sin((Math.PI * (t + phase)) / (6 * HOUR));
        const shade = Math.sin((2 * Math.PI * t) / clouds) > 0.3 ? 0.2 : 1;
        return { ambientC: 18 + 18 * Math.max(0, day), sunW: 1.2 * Math.max(0, day) * shade };
      },
    };
  },
  combined: (r) => {
    const start = r.between(900, 1100);
    const share = r.between(0.2, 0.4);
    return {
      at: (t) => ({
        ambientC: t < start ? 24 : Math.min(36, 24 + (t - start) / 20),
        sunW: t > start + 600 && t < start + 1500 ? 1 : 0,
        foreign: t > start + 300 && (t - start) % 400 < 120 ? share : 0.03,
        demand: t > start + 1200 ? 0.8 : 1,
      }),
    };
  },
  'square-wave': (r) => {
    const share = r.between(0.35, 0.5);
    return { restless: true, at: (t) => ({ foreign: t > 600 && t % 90 < 45 ? share : 0.03 }) };
  },
  spikes: (r) => {
    const period = r.between(23, 37);
    return { restless: true, at: (t) => ({ foreign: t > 600 && t % period < 3 ? 0.7 : 0.03 }) };
  },
  'sun-shade': (r) => {
    const period = r.between(240, 420);
    return { restless: true, at: (t) => ({ sunW: t > 600 && t % period < period / 2 ? 2.5 : 0 }) };
  },
};

function fault(random: Random, kind: FaultKind): Draft {
  const fromS = random.between(1100, 1300);
  const untilS = fromS + (kind === 'frozen' ? 300 : 120);
  // A disturbance inside the fault: what the sensor would have told matters.
  const share = random.between(0.15, 0.3);
  return {
    faults: [{ kind, fromS, untilS }],
    at: (t) => ({ foreign: t > fromS + 30 && t < untilS ? share : 0.03 }),
  };
}

export const SCENARIO_NAMES: readonly string[] = Object.keys(DRAFTS);

/**
 * Draws a scenario from a seed; undefined where there is none of that name.
 *
 * @param drafts where it is looked up; those of `simulate --scenario`, unless said otherwise
 */
export function createScenario(
  name: string,
  seed: number,
  drafts: Drafts = DRAFTS,
): Scenario | undefined {
  const draft = drafts[name]?.(createRandom(seed * 7919 + 13));
  if (draft === undefined) return undefined;
  const at = draft.at;
  return {
    name,
    durationS: draft.durationS ?? HOUR,
    startUtil: draft.startUtil ?? 0,
    faults: draft.faults ?? [],
    senses: { ...USUAL_SENSES, ...draft.senses },
    calmFromS: draft.calmFromS ?? null,
    disturbedFromS: draft.disturbedFromS ?? null,
    restless: draft.restless ?? false,
    at: (timeS) => (at === undefined ? NOMINAL : { ...NOMINAL, ...at(timeS) }),
  };
}
