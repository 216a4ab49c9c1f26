import type { HistoryRange } from '../../http/contract.js';
import type { GovernorEntry } from '../../store/store.js';
import { every } from '../../time.js';
import type { Context } from '../context.js';

/** A moment of the governor, as the page draws it. */
export interface HistoryPoint {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** °C; null while nothing was known. */
  readonly temperature: number | null;
  readonly limit: number | null;
  /** What the governor aimed at; null of what is older than the page. */
  readonly target: number | null;
  /** Fraction of each second that may be spent in inference, 0 to 1. */
  readonly budget: number | null;
  /** Labelled frames a second. */
  readonly fps: number | null;
  /** Names of the variants that were mixed; `fraction` of the frames went to `high`. */
  readonly low: string;
  readonly high: string;
  readonly fraction: number;
}

const STEP_MS = 5000;
const KEPT = 720;
const MOST_POINTS = 400;
const RANGES_MS: Readonly<Record<HistoryRange, number>> = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 7 * 86_400_000,
};
/** Entries of the governor's log that are read at most: a week of one a minute. */
const MOST_ENTRIES = 11_000;

type Using = Pick<Context, 'clock' | 'governor' | 'store' | 'line'>;

/** The last hour every five seconds, from memory, and what is older from the governor's log. */
export class PageHistory {
  readonly #using: Using;
  readonly #points: HistoryPoint[] = [];
  /** Ends it. */
  readonly stop: () => void;

  constructor(using: Using) {
    this.#using = using;
    this.#note();
    this.stop = every(using.clock, STEP_MS, () => this.#note());
  }

  /** At most 400 points, the oldest first. */
  read(range: HistoryRange, now = this.#using.clock.wall()): readonly HistoryPoint[] {
    const since = now - RANGES_MS[range];
    const recent = this.#points.filter(({ time }) => time >= since);
    const firstKept = recent[0]?.time ?? now;
    const logged = this.#using.store
      .governorLog(since, MOST_ENTRIES)
      .filter(({ time }) => time < firstKept)
      .map(pointOf);
    return thinned([...logged, ...recent]);
  }

  #note(): void {
    const { clock, governor, line } = this.#using;
    const state = governor.state();
    const temperature = governor.heat()?.tempC ?? null;
    const { fps } = line.meter.read(clock.now());
    const base = { time: clock.wall(), temperature, fps };
    if (state === null) return;
    if (!state.governs) {
      const { name } = state.variant;
      this.#add({
        ...base,
        limit: null,
        target: null,
        budget: null,
        low: name,
        high: name,
        fraction: 1,
      });
      return;
    }
    const { decision, rungs, limitC } = state;
    const { low, high, fraction } = decision.mix;
    this.#add({
      ...base,
      temperature: decision.temperatureC ?? temperature,
      limit: limitC,
      target: decision.targetC,
      budget: decision.budget,
      low: rungs[low]?.name ?? '',
      high: rungs[high]?.name ?? '',
      fraction,
    });
  }

  #add(point: HistoryPoint): void {
    this.#points.push(point);
    if (this.#points.length > KEPT) this.#points.shift();
  }
}

function pointOf({
  time,
  temperature,
  limit,
  budget,
  fps,
  low,
  high,
  fraction,
}: GovernorEntry): HistoryPoint {
  return { time, temperature, limit, target: null, budget, fps, low, high, fraction };
}

/** At most 400 points: of so many in a row the hottest, for a peak is what one looks for, and the newest. */
export function thinned(points: readonly HistoryPoint[]): readonly HistoryPoint[] {
  const newest = points.at(-1);
  if (points.length <= MOST_POINTS || newest === undefined) return points;
  const step = Math.ceil((points.length - 1) / (MOST_POINTS - 1));
  const kept: HistoryPoint[] = [];
  for (let first = 0; first < points.length - 1; first += step) {
    kept.push(hottest(points.slice(first, Math.min(first + step, points.length - 1))));
  }
  return [...kept, newest];
}

function hottest(points: readonly HistoryPoint[]): HistoryPoint {
  const heat = ({ temperature }: HistoryPoint) => temperature ?? Number.NEGATIVE_INFINITY;
  return points.reduce((hot, point) => (heat(point) > heat(hot) ? point : hot));
}
