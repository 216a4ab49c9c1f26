import type { Log } from '../log.js';
import type { Clock } from '../time.js';
import { BelievedClock } from './believed-clock.js';
import type { Watermark } from './clock-table.js';
import type { Removal, Share } from './retention.js';
import type { Session } from './session.js';
import { WallClock } from './wall-clock.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Rows this far ahead of a clock that is right were written by a wrong one. */
const FUTURE_MS = HOUR_MS;

export interface UpkeepOptions {
  readonly clock: Clock;
  /** Milliseconds since the machine's start, sleep included. */
  readonly uptime: () => number;
  readonly isSynchronised: () => boolean;
  readonly log: Log;
  readonly retention: { readonly days: number };
}

/** Detections that are still to be moved after the clock was set. */
interface Correction {
  readonly step: number;
  readonly upTo: number;
  above: number;
}

/**
 * Keeps the rows in bounds and their times true: follows a wall clock that is set, removes what is
 * too old or too much, and brings rows back from a future that a wrong clock has given them.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #wallClock: WallClock;
  #believed: BelievedClock | null = null;
  /** A time server had set the clock before: what was written then is right, whatever comes. */
  #wasRight: boolean;
  #watermark: Watermark = { detection: 0, event: 0 };
  /** By how much the clock was set since the database was corrected, ms. */
  #steps = 0;
  #corrections: Correction[] = [];
  #share: Share | null = null;
  #futureStep: number | null = null;
  #rememberedAt: number | null = null;
  #doubtSaid = false;
  readonly #removed = { detections: 0, events: 0 };
  #removalSaidAt = Number.NEGATIVE_INFINITY;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#wallClock = new WallClock(options.clock, options.uptime);
    this.#wasRight = options.isSynchronised();
  }

  /** A database was opened; `anew`: not the one that was open before. */
  opened({ clock: table }: Session, anew: boolean): void {
    const { clock, isSynchronised } = this.#options;
    this.#believed ??= new BelievedClock(clock, isSynchronised, table.memory(), table.newestRow());
    if (!anew) return;
    this.#watermark = table.watermark();
    this.#corrections = [];
  }

  /**
   * Looks whether the clock was set. Returns by how much (ms) the times of what was recorded since the
   * start are wrong, 0 when they are not; {@link correct} then moves those in the database.
   */
  followClock(): number {
    const step = this.#wallClock.step();
    if (step === 0) return 0;
    const { log } = this.#options;
    this.#believed?.wasSet();
    const seconds = Math.round(step / 1000);
    if (this.#wasRight) {
      log.warn({ seconds }, 'the wall clock was set');
      return 0;
    }
    log.warn({ seconds }, 'the wall clock was set; times since the start are corrected');
    this.#steps += step;
    return step;
  }

  /**
   * Corrects messages with ids above `messages`, events, and some detections; true if more are left.
   */
  correct({ clock: table, outbox }: Session, messages: number): boolean {
    if (this.#steps !== 0) {
      const step = this.#steps;
      this.#steps = 0;
      outbox.shift(step, messages);
      table.shiftEvents(this.#watermark, step);
      const { detection: upTo } = table.watermark();
      this.#corrections.push({ step, above: this.#watermark.detection, upTo });
    }
    const [next] = this.#corrections;
    if (next === undefined) return false;
    const last = table.shiftDetections(next.above, next.upTo, next.step);
    if (last === null || last >= next.upTo) this.#corrections.shift();
    if (last !== null) next.above = last;
    return this.#corrections.length > 0;
  }

  sweep(session: Session): Removal {
    const { retention, isSynchronised } = this.#options;
    const believed = this.#believed;
    const correcting = this.#steps !== 0 || this.#corrections.length > 0;
    if (believed === null || correcting) {
      return { detections: 0, events: 0, eventIds: [], more: correcting };
    }
    this.#wasRight ||= isSynchronised();
    const pulled = believed.isRight() && this.#pullBackFuture(session);
    const age = believed.limit(retention.days);
    if (age.believed === 'share' && believed.takeShare()) this.#share = session.share();
    if (age.believed === 'none') this.#sayDoubt(believed);
    else this.#doubtSaid = false;
    const removal = session.sweep(age, this.#share);
    this.#remember(session);
    this.#sayRemoved(removal, age.cutoff);
    return { ...removal, more: removal.more || pulled };
  }

  /** The time by which what is kept for so many days may be called too old, ms. */
  certainTime(days: number): number {
    const { clock } = this.#options;
    if (this.#believed === null) return Number.NEGATIVE_INFINITY;
    const { believed } = this.#believed.limit(days);
    return believed === 'all' ? clock.wall() : this.#believed.certain();
  }

  /** Rows of a future that cannot be: moved back together, so that the newest is now. */
  #pullBackFuture({ clock: table }: Session): boolean {
    const { clock, log } = this.#options;
    const bound = clock.wall() + FUTURE_MS;
    const latest = table.future(bound);
    if (latest === null) {
      this.#futureStep = null;
      return false;
    }
    if (this.#futureStep === null) {
      this.#futureStep = latest - clock.wall();
      log.warn(
        { latest: new Date(latest).toISOString() },
        `rows carry times in the future, up to ${isoDay(latest)}: they are moved back together by ` +
          `${days(this.#futureStep)} days, so that the newest is now`,
      );
    }
    return table.pullBack(bound, this.#futureStep) > 0;
  }

  #sayDoubt(believed: BelievedClock): void {
    if (this.#doubtSaid) return;
    this.#doubtSaid = true;
    const { clock, log, retention } = this.#options;
    const ahead = days(clock.wall() - believed.memory().mark);
    log.warn(
      { days: ahead },
      `the clock is ${ahead} days ahead of the last time that is known, and no time server has ` +
        `confirmed it: rows are removed for their age only after ${retention.days} days of running`,
    );
  }

  /** Once an hour, which an SD card does not feel. */
  #remember(session: Session): void {
    const now = this.#options.clock.now();
    if (this.#believed === null) return;
    if (this.#rememberedAt !== null && now - this.#rememberedAt < HOUR_MS) return;
    this.#rememberedAt = now;
    session.clock.remember(this.#believed.memory());
  }

  /** What was removed, summed, at most once an hour. */
  #sayRemoved({ detections, events, more }: Removal, cutoff: number): void {
    const { clock, log, retention } = this.#options;
    this.#removed.detections += detections;
    this.#removed.events += events;
    const sum = { ...this.#removed };
    if (more || sum.detections + sum.events === 0) return;
    if (clock.now() - this.#removalSaidAt < HOUR_MS) return;
    this.#removalSaidAt = clock.now();
    Object.assign(this.#removed, { detections: 0, events: 0 });
    log.info(
      { ...sum, cutoff: new Date(cutoff).toISOString() },
      `retention removed ${sum.detections} detections and ${sum.events} events ` +
        `(older than ${retention.days} days, ${isoDay(cutoff)}, or beyond the size)`,
    );
  }
}

function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function days(ms: number): number {
  return Math.round((ms / DAY_MS) * 10) / 10;
}
