import { explain } from './explain.js';
import { atFloor, buildHull, dipped, floorLoad, type Hull, topLoad } from './ladder.js';
import { type Aim, aimAt } from './law/aim.js';
import { judgeAlarm } from './law/alarm.js';
import { createBudgetLaw } from './law/budget.js';
import { type ForecastPoint, forecastCone } from './law/cone.js';
import { createCorrection } from './law/correction.js';
import { createEmergency } from './law/emergency.js';
import { type ForeignCourse, forecast, identifiedBoard, trend } from './law/forecast.js';
import { createIdentification, type Identification, type Known } from './law/identify.js';
import { type CleanSample, createIntake, type Intake } from './law/intake.js';
import { isBlind, modeOf } from './law/mode.js';
import { OFFSET } from './law/observer.js';
import { createPairHold } from './law/pair-hold.js';
import { createPauses } from './law/pauses.js';
import { createProbe } from './law/probe.js';
import { createSlowdown } from './law/slowdown.js';
import { createStarving } from './law/starving.js';
import { sustain } from './law/sustain.js';
import { createThrottlePoint, type ThrottlePoint } from './law/throttle-point.js';
import { createTrim } from './law/trim.js';
import { createWholeSecond, type WholeSecond } from './law/whole-second.js';
import { type GovernorOptions, type Settings, settingsOf } from './options.js';
import type { Decision, Sample } from './sample.js';
import { type GovernorSnapshot, readSnapshot } from './snapshot.js';
import { decodeThrottled, type ThrottleState } from './throttle-flags.js';

export type { ForecastPoint } from './law/cone.js';
export type { GovernorOptions } from './options.js';
export type { Decision, Mix, Rung, Sample } from './sample.js';
export type { GovernorSnapshot } from './snapshot.js';

export interface Governor {
  /** Once a second. Never throws; any field of the sample may be missing or wrong. */
  decide(sample: Sample): Decision;
  /** Changes the ladder, the limit or the rules; what is known about the board stays. */
  reconfigure(options: GovernorOptions): void;
  /** A small record for the state folder: JSON-safe. */
  snapshot(): GovernorSnapshot;
  /**
   * What the temperature is expected to be at moments ahead (s from the last sample) while the load stays
   * as it was decided; empty while nothing is known of it.
   */
  forecast(aheadS: readonly number[]): readonly ForecastPoint[];
}

/** What the first steps of a decision find. */
interface Aimed extends CleanSample, Known, Aim {
  readonly heat: ThrottleState;
  /** Load of the cheapest rung. */
  readonly floor: number;
  /** The budget aims here: the goal, trimmed by what was reached, °C. */
  readonly targetC: number;
}

interface Allowed {
  readonly sustainable: number;
  /** Load that may be made, fraction. */
  readonly budget: number;
  /** Heat would allow more than `mostLoad`. */
  readonly savesEnergy: boolean;
  /** Factor on it, while a sensor that stands still is probed. */
  readonly dip: number;
}

/** All that the steps of a decision find, one after the other. */
interface Second extends Aimed, Allowed {
  readonly inEmergency: boolean;
}

/** So far below the limit's own goal the cheapest rung is kept although a cooler target is passed, °C. */
const HEADROOM_C = 2;
/** A quiet sensor is probed only when this near to the target, °C. */
const NEAR_C = 10;
/** Part of the budget that is left after an emergency. */
const AFTER_EMERGENCY = 0.8;
/** No choice of a rung may bring the forecast nearer to the limit than this, °C. */
const PEAK_C = 0.7;
/** Part of the floor's frames that is left when nothing else helps. */
const SMALLEST_RATE = 1 / 64;
/** Heat found at the start is not of our making. */
const SETTLED_S = 90;

/**
 * The governor: pure and deterministic, time comes with the samples. See docs/governor.md.
 * Throws MND_MODEL_MISSING when the ladder is empty.
 */
export function createGovernor(options: GovernorOptions): Governor {
  return new SteppedGovernor(options);
}

/** A decision is a walk over steps, each of which adds to what is known of this second. */
class SteppedGovernor implements Governor {
  #settings: Settings;
  #hull: Hull;
  readonly #intake: Intake;
  readonly #known: Identification;
  readonly #throttlePoint: ThrottlePoint;
  readonly #emergency: ReturnType<typeof createEmergency>;
  readonly #wholeSecond: WholeSecond;
  readonly #slowdown = createSlowdown();
  readonly #pauses = createPauses();
  readonly #starving = createStarving();
  readonly #trim = createTrim();
  readonly #correction = createCorrection();
  readonly #law = createBudgetLaw();
  readonly #probe = createProbe();
  readonly #pair = createPairHold();
  #ranS = 0;
  #course: ForeignCourse = { load: 0, forS: 1, thenLoad: 0, driftC: 0 };
  #last: Decision | null = null;
  /** Load of the last decision. */
  #load = 0;

  constructor(options: GovernorOptions) {
    this.#settings = settingsOf(options);
    this.#hull = buildHull(this.#settings.ladder, this.#settings.rules);
    const restored = readSnapshot(options.restore);
    const ladder = () => this.#settings.ladder;
    this.#intake = createIntake(ladder, this.#settings.requestedFps);
    this.#known = createIdentification({
      observer: restored?.observer,
      foreign: restored?.foreign,
      elapsedS: options.restoreElapsedS,
    });
    this.#emergency = createEmergency(restored?.guardC);
    this.#throttlePoint = createThrottlePoint(restored?.throttleC);
    this.#wholeSecond = createWholeSecond(ladder);
  }

  decide(sample: Sample): Decision {
    const clean = this.#intake.take(sample, this.#last);
    const heat = decodeThrottled(clean.flags);
    const known = { ...clean, heat, ...this.#identify(clean, heat) };
    const aimed = { ...known, ...this.#aim(known) };
    const watched = { ...aimed, inEmergency: this.#watch(aimed) };
    const second = { ...watched, ...this.#allow(watched) };
    this.#last = this.#spend(second);
    return this.#last;
  }

  reconfigure(options: GovernorOptions): void {
    this.#settings = settingsOf(options);
    this.#hull = buildHull(this.#settings.ladder, this.#settings.rules);
    this.#pair.release();
  }

  snapshot(): GovernorSnapshot {
    const state = this.#known.observer.state();
    return {
      version: 1,
      observer: { ...state, theta: state.theta.slice(0, OFFSET) },
      foreign: this.#known.foreign.state(),
      guardC: this.#emergency.guardC,
      throttleC: this.#throttlePoint.learnedC,
    };
  }

  forecast(aheadS: readonly number[]): readonly ForecastPoint[] {
    if (this.#last?.temperatureC == null) return [];
    const { observer, character } = this.#known;
    const about = { load: this.#load, foreign: this.#course, noiseC: character.noiseC };
    return forecastCone(observer, about, aheadS);
  }

  /** What is known after this sample. */
  #identify(clean: CleanSample, heat: ThrottleState): Known {
    this.#ranS += clean.dtS;
    if (!clean.jumped) this.#pauses.update(clean.dtS);
    this.#slowdown.update(clean.slowdown);
    return this.#known.update(clean, heat, this.#settings.limitC);
  }

  /** What to aim at. */
  #aim(s: CleanSample & Known): Aim & Pick<Aimed, 'floor' | 'targetC'> {
    const { ladder, rules, marginC, targetC } = this.#settings;
    const estimate = s.estimateC ?? Number.NaN;
    const limitC = this.#throttlePoint.update(this.#settings.limitC, {
      throttled: s.throttled,
      temperatureC: estimate,
      dtS: s.dtS,
    });
    const floor = floorLoad(ladder, rules, s.requestedFps);
    this.#starving.update(this.#law.value, floor, s.trusted, s.dtS);
    const aim = aimAt(limitC, marginC, {
      sensor: this.#known.character,
      guardC: this.#emergency.guardC,
      starving: this.#starving.value,
      targetC,
    });
    const limited = this.#last?.mode === 'limited' && !this.#last.savesEnergy;
    const trimC = this.#trim.update(estimate, aim.goalC, limited, s.dtS);
    return { ...aim, floor, targetC: aim.goalC + trimC };
  }

  /** Whether the floor is in force. */
  #watch(s: Aimed): boolean {
    const alarm = judgeAlarm({
      estimateC: s.estimateC,
      sigmaC: this.#known.observer.sigma(),
      readingC: s.unbiasedC,
      noiseC: this.#known.character.noiseC,
      lineC: s.lineC,
      heat: s.heat.heat,
      nonsense: s.verdict.fault === 'range',
    });
    const ours = this.#law.value > 1.5 * s.floor && this.#ranS > SETTLED_S;
    const before = this.#emergency.active;
    const active = this.#emergency.update({ ...alarm, ours }, s.dtS);
    if (active && !before) this.#law.cap(AFTER_EMERGENCY * this.#law.value);
    return active;
  }

  /** The load that may be made. */
  #allow(s: Aimed & { readonly inEmergency: boolean }): Allowed {
    const { observer, character } = this.#known;
    const law = this.#law;
    const { course, sustainable, viable, shift } = sustain(this.#known, s, this.#course);
    this.#course = course;
    const estimate = s.estimateC ?? Number.NaN;
    const perMinute = forecast(observer, 60, 0, course).perLoadC;
    const ownLately = observer.own[0] ?? 0;
    const held = this.#correction.update(estimate, s.goalC, ownLately, perMinute, s.dtS);
    if (s.trusted) {
      if (!s.inEmergency) law.shift(shift);
      const may = Math.min(held, sustainable, viable);
      law.next(may, s.dtS, { mayRise: !s.inEmergency });
    } else if (s.verdict.trust !== 'coasting') law.cap(Math.max(sustainable, s.floor / 2));
    if (isBlind(s)) law.cap(s.floor / 2);
    const top = Math.min(1, topLoad(this.#hull, s.requestedFps) + (s.secondLoad ?? 0));
    // Where even the floor would lead to the limit, it is not waited until that shows.
    const least = Math.max(
      SMALLEST_RATE * s.floor,
      Math.min(this.#emergency.rate * s.floor, viable),
    );
    const allowed = Math.max(law.value, this.#keptAboveTarget(s, viable));
    const cool = Math.min(allowed, top, s.inEmergency ? least : top);
    const budget = Math.min(cool, s.mostLoad ?? cool);
    return { sustainable, budget, savesEnergy: budget < cool, dip: this.#dip(s, character.noisy) };
  }

  /** Frames are dropped for the limit only: a cooler target costs accuracy down to the cheapest rung. */
  #keptAboveTarget(s: Aimed, viable: number): number {
    const wished = s.goalC < s.warmestC && !isBlind(s);
    const isFar = (s.estimateC ?? Number.NaN) < s.warmestC - HEADROOM_C;
    return wished && isFar ? Math.min(s.floor, Math.max(0, viable)) : 0;
  }

  #dip(s: Aimed, noisy: boolean): number {
    if (!s.trusted) return this.#probe.factor;
    const isNear = (s.estimateC ?? Number.NaN) > s.targetC - NEAR_C;
    const worthIt = noisy || isNear || this.#known.responsiveness.isSuspect;
    const allowed = worthIt && this.#law.value > s.floor * 1.2;
    return this.#probe.update(s.verdict.stillS, { allowed, noisy }, s.dtS);
  }

  /** The frames of the next second, and what is said of them. */
  #spend(s: Second): Decision {
    const { ladder, rules } = this.#settings;
    const fps = s.requestedFps;
    const second = s.secondLoad ?? 0;
    const spend = Math.min(Math.max(0, s.budget - second), 1 / this.#slowdown.value);
    // The floor is one rung: an upper one that gets no frames would only confuse.
    if (s.inEmergency || !s.trusted) this.#pair.release();
    const least = s.inEmergency || isBlind(s);
    const full = least
      ? atFloor(ladder, rules, spend, fps)
      : this.#pair.allocate(this.#hull, spend, fps, rules.minFps, s.dtS);
    const plan = dipped(full, ladder, s.dip);
    this.#load = plan.load + second;
    const mode = modeOf(s, plan.load >= topLoad(this.#hull, fps) - 1e-9);
    const rung = this.#wholeSecond.pick(
      plan.mix,
      { fps, spend: spend * s.dip, slowdown: this.#slowdown.value },
      (load) => this.#heatOf(load),
      s.limitC - PEAK_C,
    );
    const { observer, neighbours, foreign } = this.#known;
    return {
      rung,
      fps: plan.fps,
      mix: plan.mix,
      reason: explain({
        mode,
        fault: s.verdict.fault,
        ladder,
        mix: plan.mix,
        fps: plan.fps,
        requestedFps: fps,
        temperatureC: s.estimateC,
        trendC: trend(observer, this.#load),
        limitC: s.limitC,
        heldC: s.goalC < s.warmestC ? s.goalC : null,
        savesEnergy: s.savesEnergy,
        heatFlag: s.heat.heat,
        undervoltage: s.heat.undervoltage,
        byModel: !isBlind(s),
        others: mode !== 'full' && neighbours.visited ? foreign.share * neighbours.now : null,
      }),
      mode,
      fault: s.verdict.fault,
      budget: s.budget * s.dip,
      savesEnergy: s.savesEnergy,
      targetC: s.targetC,
      temperatureC: s.estimateC,
      headroomC: s.estimateC === null ? null : s.limitC - s.estimateC,
      headroomBudget: Math.min(1, Math.max(0, s.sustainable - this.#load)),
      undervoltage: s.heat.undervoltage,
      board: identifiedBoard(observer),
    };
  }

  /** What a whole second, or as long as the caller was seen to be away, of a load would bring, °C. */
  #heatOf(load: number): number {
    const { observer, neighbours } = this.#known;
    const { baseC, perLoadC } = forecast(
      observer,
      this.#pauses.longestS,
      load,
      neighbours.expected(),
    );
    return baseC + load * perLoadC;
  }
}
