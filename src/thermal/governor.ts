import { explain } from './explain.js';
import { atFloor, buildHull, dipped, floorLoad, type Hull, topLoad, withinTime } from './ladder.js';
import { isNonsense, judgeAlarm } from './law/alarm.js';
import { type Allowance, type Allowed, createAllowance, type Watched } from './law/allowance.js';
import { type ForecastPoint, forecastCone } from './law/cone.js';
import { createEmergency } from './law/emergency.js';
import { forecast, identifiedBoard, trend } from './law/forecast.js';
import { createFullCpu } from './law/full-cpu.js';
import { type Aimed, createGoal, type Goal } from './law/goal.js';
import { Identification, type Known } from './law/identify.js';
import { type CleanSample, createIntake, type Intake } from './law/intake.js';
import { isBlind, modeOf, relianceOf } from './law/mode.js';
import { OFFSET, RATIO } from './law/observer-state.js';
import { createPairHold } from './law/pair-hold.js';
import { createPauses } from './law/pauses.js';
import { createSlowdown } from './law/slowdown.js';
import { createWarmth } from './law/warmth.js';
import { byHeat, createWays, type Ways, waysLike } from './law/ways.js';
import { createWholeSecond, type WholeSecond } from './law/whole-second.js';
import { type GovernorOptions, type Settings, settingsOf } from './options.js';
import type { Decision, Sample } from './sample.js';
import { type GovernorSnapshot, readSnapshot } from './snapshot.js';
import { decodeThrottled } from './throttle-flags.js';

export type { ForecastPoint } from './law/cone.js';
export type { GovernorOptions } from './options.js';
export type { Decision, Mix, Rung, Sample, Way } from './sample.js';
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

/** All that the steps of a decision find, one after the other. */
interface Second extends Watched, Allowed {}

/** The frames of the next second. */
interface Plan extends Pick<Decision, 'rung' | 'fps' | 'mix' | 'mode'> {}

/** No choice of a rung may bring the forecast nearer to the limit than this, °C. */
const PEAK_C = 0.7;
/** After a fault the rungs come back as the budget does, and are not held for so long, s. */
const RETURN_S = 20;
/** This near to the limit we yield even if that is in vain, °C. */
const LAST_C = 0.5;
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
  #ways: Ways;
  #hull: Hull;
  readonly #intake: Intake;
  readonly #known: Identification;
  readonly #goal: Goal;
  readonly #allowance: Allowance;
  readonly #emergency: ReturnType<typeof createEmergency>;
  readonly #wholeSecond: WholeSecond;
  readonly #slowdown = createSlowdown();
  readonly #pauses = createPauses();
  readonly #fullCpu = createFullCpu();
  readonly #pair = createPairHold();
  readonly #warmth = createWarmth();
  #ranS = 0;
  #wasKnown = false;
  /** Seconds since the sensor failed. */
  #believedS = 0;
  #last: Decision | null = null;
  /** Load of the last decision. */
  #load = 0;

  constructor(options: GovernorOptions) {
    this.#settings = settingsOf(options);
    this.#ways = createWays(this.#settings.ladder);
    this.#hull = buildHull(this.#ways.hot, this.#settings.rules);
    const restored = readSnapshot(options.restore);
    this.#intake = createIntake(() => this.#ways.ladder, this.#settings.requestedFps);
    this.#known = new Identification({
      observer: restored?.observer,
      foreign: restored?.foreign,
      elapsedS: options.restoreElapsedS,
      knobs: this.#ways.knobs,
    });
    this.#emergency = createEmergency(restored?.guardC);
    this.#goal = createGoal(restored?.throttleC);
    this.#allowance = createAllowance(this.#known);
    this.#wholeSecond = createWholeSecond(() => this.#ways);
  }

  decide(sample: Sample): Decision {
    const seen = this.#intake.take(sample, this.#last);
    const { clean, byKnob } = byHeat(seen, this.#ways);
    const known = { ...clean, ...this.#identify(clean, byKnob) };
    this.#chooseWays(known);
    const aimed = { ...known, ...this.#aim(known) };
    const watched = { ...aimed, isHot: this.#watch(aimed), inVainFrom: this.#inVainFrom(aimed) };
    const second = { ...watched, ...this.#allow(watched) };
    this.#last = this.#spend(second);
    return this.#last;
  }

  reconfigure(options: GovernorOptions): void {
    this.#settings = settingsOf(options);
    this.#ways = waysLike(this.#ways, this.#settings.ladder);
    this.#hull = buildHull(this.#ways.hot, this.#settings.rules);
    this.#pair.release();
  }

  snapshot(): GovernorSnapshot {
    const state = this.#known.observer.state();
    return {
      version: 1,
      observer: { ...state, theta: state.theta.slice(0, OFFSET) },
      foreign: this.#known.foreign.state(),
      guardC: this.#emergency.guardC,
      throttleC: this.#goal.throttleC,
    };
  }

  forecast(aheadS: readonly number[]): readonly ForecastPoint[] {
    if (this.#last?.temperatureC == null) return [];
    const { observer, character } = this.#known;
    const about = { load: this.#load, foreign: this.#allowance.course, noiseC: character.noiseC };
    return forecastCone(observer, about, aheadS);
  }

  /** The coolest way of each rung that keeps the rate. */
  #chooseWays(known: CleanSample & Known): void {
    const { observer } = this.#known;
    // The heat of knobs can be told from the board's only when that is known.
    this.#wasKnown ||= known.acquainted;
    const belowC = (this.#last?.targetC ?? Number.NaN) - (known.estimateC ?? Number.NaN);
    const isWarm = this.#warmth.update(this.#last?.mode ?? null, belowC, known.dtS);
    const cooler = this.#wasKnown && isWarm;
    const of = { fps: known.requestedFps, slowdown: this.#slowdown.value, cooler };
    if (!this.#ways.update(of, observer.factors)) return;
    this.#hull = buildHull(this.#ways.hot, this.#settings.rules);
  }

  /** What is known after this sample. */
  #identify(clean: CleanSample, byKnob: readonly number[]): Known {
    this.#ranS += clean.dtS;
    if (!clean.jumped) this.#pauses.update(clean.dtS);
    this.#slowdown.update(clean.slowdown);
    const flags = decodeThrottled(clean.flags);
    const known = this.#known.update(clean, flags, this.#settings.limitC, byKnob);
    const ratio = this.#known.observer.theta[RATIO] ?? 1;
    const hot = this.#emergency.active;
    this.#fullCpu.update({ use: clean.cpuUtil, load: clean.load, ratio, hot }, clean.dtS);
    return known;
  }

  /** What to aim at. */
  #aim(s: CleanSample & Known): ReturnType<Goal['update']> {
    const { rules, limitC, marginC, targetC } = this.#settings;
    return this.#goal.update(s, {
      limitC,
      marginC,
      targetC,
      floor: floorLoad(this.#ways.hot, rules, s.requestedFps),
      sensor: this.#known.character,
      guardC: this.#emergency.guardC,
      budget: this.#allowance.value,
      isLimited: this.#last?.mode === 'limited' && !this.#last.savesEnergy,
    });
  }

  /** Whether it is too hot. */
  #watch(s: Aimed): boolean {
    const alarm = judgeAlarm({
      estimateC: s.estimateC,
      sigmaC: this.#known.observer.sigma(),
      readingC: s.unbiasedC,
      noiseC: this.#known.character.noiseC,
      lineC: s.lineC,
      heat: s.heat.heat,
      nonsense: isNonsense(s),
    });
    const ours = this.#allowance.value > 1.5 * s.floor && this.#ranS > SETTLED_S;
    const before = this.#emergency.active;
    const active = this.#emergency.update({ ...alarm, ours }, s.dtS);
    if (active && !before) this.#allowance.cutBack();
    return active;
  }

  /** To yield would cool nothing down to this load; near the limit we yield all the same. */
  #inVainFrom(s: Aimed): number {
    const isFar = (s.estimateC ?? Number.NaN) + s.leadC < s.limitC - LAST_C;
    const goesOn = isFar && s.trusted && !s.heat.heat;
    return goesOn ? this.#fullCpu.inVainFrom : Number.POSITIVE_INFINITY;
  }

  /** The load that may be made. */
  #allow(s: Watched): Allowed {
    const top = Math.min(1, topLoad(this.#hull, s.requestedFps) + (s.secondLoad ?? 0));
    return this.#allowance.update(s, { top, emergencyRate: this.#emergency.rate });
  }

  /** The frames of the next second, and what is said of them. */
  #spend(s: Second): Decision {
    const { rules } = this.#settings;
    const { hot, ladder, any } = this.#ways;
    const fps = s.requestedFps;
    const second = s.secondLoad ?? 0;
    const timeS = 1 / this.#slowdown.value;
    const given = Math.max(0, s.budget - second);
    const spend = any ? given : Math.min(given, timeS);
    // The floor is one rung: an upper one that gets no frames would only confuse.
    this.#believedS = s.trusted ? this.#believedS + s.dtS : 0;
    if (s.inEmergency || this.#believedS < RETURN_S) this.#pair.release();
    const least = s.inEmergency || isBlind(s);
    const full = least
      ? atFloor(hot, rules, spend, fps)
      : this.#pair.allocate(this.#hull, spend, fps, rules.minFps, s.dtS);
    const plan = withinTime(dipped(full, hot, s.dip), { wall: ladder, hot, timeS });
    this.#load = plan.load + second;
    const mode = modeOf(s, plan.load >= topLoad(this.#hull, fps) - 1e-9);
    const most = { fps, spend: spend * s.dip, slowdown: this.#slowdown.value };
    const heatOf = (load: number) => this.#heatOf(load);
    const rung = this.#wholeSecond.pick(plan.mix, most, heatOf, s.limitC - PEAK_C);
    return this.#tell(s, { ...plan, mode, rung });
  }

  /** What was decided, in words and figures. */
  #tell(s: Second, plan: Plan): Decision {
    const { ladder } = this.#settings;
    const { observer, neighbours, foreign } = this.#known;
    const { rung, mode, mix } = plan;
    const reliesOn = relianceOf(s);
    const tellsOthers = (mode !== 'full' || s.isFree) && neighbours.visited;
    const ways = { low: this.#ways.wayOf(mix.low), high: this.#ways.wayOf(mix.high) };
    return {
      rung,
      fps: plan.fps,
      mix,
      ways,
      reason: explain({
        mode,
        fault: s.verdict.fault,
        ladder,
        mix,
        ways,
        fps: plan.fps,
        requestedFps: s.requestedFps,
        temperatureC: s.estimateC,
        trendC: trend(observer, this.#load),
        limitC: s.limitC,
        heldC: s.goalC < s.warmestC ? s.goalC : null,
        savesEnergy: s.savesEnergy,
        heatFlag: s.heat.heat,
        undervoltage: s.heat.undervoltage,
        reliesOn,
        slowed: s.slowed,
        others: tellsOthers ? foreign.share * neighbours.now : null,
        yieldsInVain: s.isFree,
      }),
      mode,
      fault: s.verdict.fault,
      reliesOn,
      budget: s.budget * s.dip,
      savesEnergy: s.savesEnergy,
      targetC: s.targetC,
      temperatureC: s.estimateC,
      headroomC: s.estimateC === null ? null : s.limitC - s.estimateC,
      headroomBudget: Math.min(1, Math.max(0, s.sustainable - this.#load)),
      undervoltage: s.heat.undervoltage,
      board: identifiedBoard(observer, this.#ways.knobs),
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
