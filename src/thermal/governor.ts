import { explain } from './explain.js';
import { atFloor, buildHull, dipped, floorLoad, type Hull, topLoad } from './ladder.js';
import { type BudgetLaw, createBudgetLaw } from './law/budget.js';
import { createCorrection } from './law/correction.js';
import { createEmergency } from './law/emergency.js';
import { createFaultDetector, type Verdict } from './law/faults.js';
import { forecast, identifiedBoard, sustainableLoad, totalGain, trend } from './law/forecast.js';
import { createForeignLoad } from './law/foreign-load.js';
import { type CleanSample, createIntake } from './law/intake.js';
import { createSensorCharacter } from './law/noise.js';
import { createObserver, OFFSET } from './law/observer.js';
import { createPairHold } from './law/pair-hold.js';
import { createProbe } from './law/probe.js';
import { createStarving } from './law/starving.js';
import { createThrottlePoint } from './law/throttle-point.js';
import { createTrim } from './law/trim.js';
import { createErrorDiffusion } from './mix.js';
import { type GovernorOptions, type Settings, settingsOf } from './options.js';
import type { Decision, GovernorMode, Mix, Sample } from './sample.js';
import { type GovernorSnapshot, readSnapshot } from './snapshot.js';
import { decodeThrottled } from './throttle-flags.js';

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
}

/** Standard deviations of the forecast kept off the target. */
const CAUTION = 0.7;
/** The emergency line is this far below the limit (less if the margin is smaller), °C. */
const EMERGENCY_C = 1.5;
/** The target's distance from that line with a good sensor (noise 0.35 °C, steps 0.5 °C), °C. */
const TARGET_GAP_C = 0.3;
const GOOD_NOISE_C = 0.35;
const GOOD_STEP_C = 0.5;
const GAP_PER_STEP = 0.8;
/** Standard deviations of a single reading above the line that make an emergency. */
const EMERGENCY_SIGMAS = 3;
/** A reading this far below the limit while the firmware throttles is not believed, °C. */
const CONTRADICTION_C = 10;
/** A reading that has not changed for so long teaches nothing about gains. */
const STILL_S = 15;
/** Extra distance while the sensor is in doubt, °C. */
const DOUBT_C = 3;
/** A quiet sensor is probed only when this near to the target, °C. */
const NEAR_C = 10;
/** Mean of the last surprises, and how many standard deviations of one reading make it unusual. */
const BIAS_SHARE = 0.3;
const RISE_SIGMAS = 1;
const FALL_SIGMAS = 1.3;
/** Part of the margin that may be spent before frames of the smallest rung are dropped, °C. */
const STARVING_C = 0.3;
/** Part of the budget that is left after an emergency. */
const AFTER_EMERGENCY = 0.8;
/** No choice of a rung may bring the forecast nearer to the limit than this, °C. */
const PEAK_C = 0.7;
/** Seconds in which a second of the longest pause is forgotten. */
const LONGEST_MEMORY_S = 300;
/** Heat found at the start is not of our making. */
const SETTLED_S = 90;
/** Share of a second that can be spent in inference. */
const FULL_SECOND = 1;

/**
 * The governor: pure and deterministic, time comes with the samples. See docs/governor.md.
 * Throws MND_MODEL_MISSING when the ladder is empty.
 */
export function createGovernor(options: GovernorOptions): Governor {
  let settings: Settings = settingsOf(options);
  let hull: Hull = buildHull(settings.ladder, settings.rules);
  const restored = readSnapshot(options.restore);
  const observer = createObserver(restored?.observer, options.restoreElapsedS);
  const foreign = createForeignLoad(restored?.foreign);
  const emergency = createEmergency(restored?.guardC);
  const throttlePoint = createThrottlePoint(restored?.throttleC);
  const character = createSensorCharacter();
  const detector = createFaultDetector();
  const intake = createIntake(() => settings.ladder, settings.requestedFps);
  const law: BudgetLaw = createBudgetLaw();
  const probe = createProbe();
  const trim = createTrim();
  const starving = createStarving();
  const correction = createCorrection();
  let ranS = 0;
  let longestS = 1;
  const diffusion = createErrorDiffusion();
  const pair = createPairHold();
  let last: Decision | null = null;
  let slowdown = 1;
  let bias = 0;
  let contradictedS = 0;

  /** Steps 1 and 2: what is known after this sample. */
  const observe = (clean: CleanSample): Verdict => {
    const heat = decodeThrottled(clean.flags);
    const { readingC, dtS } = clean;
    const foreignLoad = foreign.update(clean.cpuUtil, clean.load, dtS);
    observer.advance(clean.load, foreignLoad, dtS);
    const expected = observer.temperature();
    const cool = readingC !== null && readingC < settings.limitC - CONTRADICTION_C;
    contradictedS = heat.heat && !heat.soft && cool ? contradictedS + dtS : 0;
    const verdict = detector.check({
      readingC,
      expectedC: Number.isNaN(expected) ? null : expected,
      sigmaC: Math.hypot(observer.sigma(), character.noiseC),
      fastRiseC: observer.fastRise(),
      identified: totalGain(observer).sigmaC < 0.4 * totalGain(observer).gainC,
      stepC: character.stepC,
      noisy: character.noisy,
      scattered: character.scattered,
      contradicted: contradictedS >= 2,
      dtS,
      jumped: clean.jumped,
    });
    if (verdict.use && clean.readingC !== null) {
      const reading = clean.readingC - verdict.biasC;
      const still = verdict.stillS >= STILL_S;
      if (!still) character.update(reading, observer.fastRise());
      if (verdict.restart || clean.jumped) observer.reset(reading);
      const told = still ? stillReading(reading) : reading;
      if (told !== null) correct(told, !still);
    }
    if (clean.slowdown !== null) {
      const seen = Math.min(4, Math.max(0.8, clean.slowdown));
      slowdown += (seen - slowdown) * (seen > slowdown ? 0.5 : 0.2);
    }
    return verdict;
  };

  /**
   * What a reading that has not changed for long still tells. A coarse sensor: the temperature is
   * within half a step. A noisy one has no business standing still: it may not argue the model down.
   */
  const stillReading = (reading: number): number | null => {
    const expected = observer.temperature();
    if (character.noisy) return reading > expected ? reading : null;
    const half = character.stepC / 2;
    if (Math.abs(reading - expected) <= half) return expected;
    return reading > expected ? reading - half : reading + half;
  };

  const correct = (reading: number, learnGains: boolean): void => {
    const sigma = Math.hypot(observer.sigma(), character.noiseC);
    const innovation = observer.correct(reading, character.noiseC, learnGains);
    // Surprises that keep to one side are no noise: something unmodelled heats or cools.
    bias += (innovation - bias) * BIAS_SHARE;
    const unusual = (innovation > 0 ? RISE_SIGMAS : FALL_SIGMAS) * sigma;
    if (Math.abs(bias) > unusual && bias * innovation > 0) {
      observer.loosen(Math.max(bias * bias, (innovation * innovation) / 2));
    }
  };

  const decide = (sample: Sample): Decision => {
    const clean = intake.take(sample, last);
    const verdict = observe(clean);
    const heat = decodeThrottled(clean.flags);
    const fps = clean.requestedFps;
    const estimate = observer.temperature();
    const known = !Number.isNaN(estimate);
    const trusted = verdict.trust === 'good';
    const limitC = throttlePoint.update(settings.limitC, {
      throttled: heat.heat && contradictedS === 0 && known && verdict.trust === 'good',
      temperatureC: estimate,
      dtS: clean.dtS,
    });
    const noise = character.noiseC;
    const floor = floorLoad(settings.ladder, settings.rules, fps);
    starving.update(law.value, floor, trusted, clean.dtS);
    const spareC = starving.value * Math.min(STARVING_C, settings.marginC / 2);
    const lineC = limitC - Math.min(EMERGENCY_C, settings.marginC) + spareC;
    const goalC = limitC - settings.marginC - sensorGap() - emergency.guardC + spareC;
    const targetC = goalC + trim.update(estimate, goalC, last?.mode === 'limited', clean.dtS);
    ranS += clean.dtS;
    if (!clean.jumped) longestS = Math.max(1, clean.dtS, longestS - clean.dtS / LONGEST_MEMORY_S);
    const reading = (clean.readingC ?? Number.NaN) - verdict.biasC;
    // Above the line beyond doubt: a noisy sensor must not cry wolf, a sudden rise is believed.
    const wide = EMERGENCY_SIGMAS * noise;
    const hot =
      heat.heat ||
      (known && estimate >= lineC + observer.sigma()) ||
      reading >= lineC + wide ||
      (reading >= lineC && known && reading >= estimate + 1.5 * wide);
    const cool = !heat.heat && known && estimate < lineC;
    const ours = law.value > 1.5 * floor && ranS > SETTLED_S;
    const alarm = { hot: hot && verdict.fault !== 'range', cool, ours };
    const before = emergency.active;
    const inEmergency = emergency.update(alarm, clean.dtS);
    if (inEmergency && !before) law.cap(AFTER_EMERGENCY * law.value);
    const sustainable = known
      ? sustainableLoad(observer, trusted ? targetC : targetC - DOUBT_C, {
          load: clean.load,
          caution: trusted ? CAUTION : 2 * CAUTION,
          foreign: foreign.forecast,
        })
      : 0;
    const held = correction.update(estimate, goalC, observer.own[0] ?? 0, perLoadC(), clean.dtS);
    if (trusted) law.next(Math.min(held, sustainable), clean.dtS, { mayRise: !inEmergency });
    else if (verdict.trust !== 'coasting') law.cap(Math.max(sustainable, floor / 2));
    if (verdict.trust === 'lost' || !known) law.cap(floor / 2);
    const worthIt = character.noisy || estimate > targetC - NEAR_C;
    const allowed = trusted && worthIt && law.value > floor * 1.2;
    const doubt = { allowed, noisy: character.noisy };
    const dip = trusted ? probe.update(verdict.stillS, doubt, clean.dtS) : probe.factor;

    let budget = Math.min(law.value, topLoad(hull, fps));
    if (inEmergency) budget = Math.min(budget, floor * emergency.rate);
    const spend = Math.min(budget, FULL_SECOND / slowdown);
    // The floor is one rung: an upper one that gets no frames would only confuse.
    if (inEmergency || !trusted) pair.release();
    const least = inEmergency || verdict.trust === 'lost' || !known;
    const full = least
      ? atFloor(settings.ladder, settings.rules, spend, fps)
      : pair.allocate(hull, spend, fps, settings.rules.minFps, clean.dtS);
    const plan = dipped(full, settings.ladder, dip);
    const mode = modeOf(verdict, inEmergency, plan.load, topLoad(hull, fps));
    const temperatureC = known ? estimate : null;
    last = {
      rung: pick(plan.mix, fps, spend * dip, limitC),
      fps: plan.fps,
      mix: plan.mix,
      reason: explain({
        mode,
        fault: verdict.fault,
        ladder: settings.ladder,
        mix: plan.mix,
        fps: plan.fps,
        requestedFps: fps,
        temperatureC,
        trendC: trend(observer, plan.load),
        limitC,
        heatFlag: heat.heat,
        undervoltage: heat.undervoltage,
      }),
      mode,
      fault: verdict.fault,
      budget: budget * dip,
      targetC,
      temperatureC,
      headroomC: temperatureC === null ? null : limitC - temperatureC,
      headroomBudget: Math.min(1, Math.max(0, sustainable - plan.load)),
      undervoltage: heat.undervoltage,
      board: identifiedBoard(observer),
    };
    return last;
  };

  /** Rise in a minute for each unit of load, °C. */
  const perLoadC = (): number => forecast(observer, 60, 0, foreign.forecast).perLoadC;

  /** A worse sensor sees trouble later: more distance. */
  const sensorGap = (): number => {
    const noisier = Math.max(0, character.noiseC - GOOD_NOISE_C);
    return TARGET_GAP_C + 0.3 * noisier + GAP_PER_STEP * Math.max(0, character.stepC - GOOD_STEP_C);
  };

  /** One rung for a whole second, so that seconds, in the mean, make the load of the mix. */
  const pick = (mix: Mix, fps: number, spend: number, limitC: number): number => {
    if (mix.low === mix.high) return mix.low;
    const low = settings.ladder[mix.low];
    const high = settings.ladder[mix.high];
    if (low === undefined || high === undefined) return mix.low;
    const room = 1000 / (fps * slowdown);
    // The upper rung cannot keep the rate alone: worth it only if what it delivers counts for more.
    const alone = high.costMs <= room;
    if (!alone && (high.accuracy * room) / high.costMs <= low.accuracy) return mix.low;
    const share = alone ? mix.fraction : ((spend * 1000) / fps - low.costMs) / (room - low.costMs);
    if (!diffusion.next(share)) return mix.low;
    // A whole second of it, or as long as the caller was seen to be away, must stay below the limit.
    const load = Math.min(1, (fps * high.costMs) / 1000);
    const { baseC, perLoadC } = forecast(observer, longestS, load, foreign.forecast);
    return baseC + load * perLoadC > limitC - PEAK_C ? mix.low : mix.high;
  };

  return {
    decide,
    reconfigure(next) {
      settings = settingsOf(next);
      hull = buildHull(settings.ladder, settings.rules);
      pair.release();
    },
    snapshot: () => ({
      version: 1,
      observer: { ...observer.state(), theta: observer.state().theta.slice(0, OFFSET) },
      foreign: foreign.state(),
      guardC: emergency.guardC,
      throttleC: throttlePoint.learnedC,
    }),
  };
}

function modeOf(verdict: Verdict, inEmergency: boolean, load: number, top: number): GovernorMode {
  if (verdict.trust === 'coasting') return inEmergency ? 'emergency' : 'coasting';
  if (verdict.trust !== 'good') return 'fault';
  if (inEmergency) return 'emergency';
  return load >= top - 1e-9 ? 'full' : 'limited';
}
