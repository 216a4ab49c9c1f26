import type { GovernorEntry } from '../../store/store.js';
import type { Decision } from '../../thermal/governor.js';
import type { Clock } from '../../time.js';
import type { MeasuredRung } from '../governor-state.js';

const NOTE_MS = 60_000;
const QUIET_NOTE_MS = 600_000;
/** What counts as movement: °C, and share of the frames. */
const NOTE_DEGREES = 2;
const NOTE_FRACTION = 0.05;
/** Share of the wanted frames below which nothing is labelled to speak of: rungs say nothing then. */
export const NOTABLE_USE = 0.05;

/**
 * The governor's log in the database: a row for every change of the mode or the rungs while frames are
 * labelled, and of an unusual mode at any time; one a minute while temperature or the mix in use
 * move. Where nothing happens, nothing is written for ten minutes: the disk may sleep.
 */
export class GovernorHistory {
  readonly #record: (entry: GovernorEntry) => void;
  readonly #clock: Pick<Clock, 'wall'>;
  #last = { mode: '', rungs: '', time: 0, degrees: 0, fraction: 0 };

  constructor(record: (entry: GovernorEntry) => void, clock: Pick<Clock, 'wall'>) {
    this.#record = record;
    this.#clock = clock;
  }

  /**
   * @param limitC temperature never to reach, °C
   * @param use share of the wanted frames that are labelled, 0 to 1
   */
  note(decision: Decision, rungs: readonly MeasuredRung[], limitC: number, use: number): void {
    const time = this.#clock.wall();
    const last = this.#last;
    const { mode } = decision;
    const { low, high, fraction } = decision.mix;
    const degrees = decision.temperatureC ?? 0;
    const inUse = use >= NOTABLE_USE;
    const pair = `${low} ${high}`;
    const isUsual = [mode, last.mode].every((each) => each === 'full' || each === 'limited');
    const changed = (mode !== last.mode && (inUse || !isUsual)) || (inUse && pair !== last.rungs);
    const moved =
      Math.abs(degrees - last.degrees) >= NOTE_DEGREES ||
      (inUse && Math.abs(fraction - last.fraction) >= NOTE_FRACTION);
    if (!changed && time - last.time < (moved ? NOTE_MS : QUIET_NOTE_MS)) return;
    this.#last = { mode, rungs: pair, time, degrees, fraction };
    this.#record({
      time,
      mode,
      low: rungs[low]?.name ?? '',
      high: rungs[high]?.name ?? '',
      fraction,
      fps: decision.fps,
      temperature: decision.temperatureC,
      limit: limitC,
      budget: decision.budget,
      reason: decision.reason,
    });
  }
}
