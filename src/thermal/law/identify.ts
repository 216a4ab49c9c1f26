import type { ThrottleState } from '../throttle-flags.js';
import { createAcquaintance } from './acquaintance.js';
import { createClockWatch } from './clock.js';
import { createContradiction } from './contradiction.js';
import { createFaultDetector, type Verdict } from './faults.js';
import { totalGain } from './forecast.js';
import { createForeignLoad, type ForeignLoad, type ForeignLoadState } from './foreign-load.js';
import type { CleanSample } from './intake.js';
import { createNeighbours, type Neighbours } from './neighbours.js';
import { createSensorCharacter, type SensorCharacter } from './noise.js';
import { createObserver, type Observer } from './observer.js';
import type { ObserverState } from './observer-state.js';
import { createResponsiveness, type Responsiveness } from './responsiveness.js';
import { createSecondSensor } from './second-sensor.js';
import { stillReading } from './still.js';
import { createSurprise } from './surprise.js';

/** What is known after a sample. */
export interface Known {
  readonly verdict: Verdict;
  /** The modelled temperature, °C; null before the first reading that counts. */
  readonly estimateC: number | null;
  /** The sensor is believed. */
  readonly trusted: boolean;
  /** What the sensor says without its bias, °C; NaN when it says nothing. */
  readonly unbiasedC: number;
  /** What the firmware says of heat, or in its place the clock. */
  readonly heat: ThrottleState;
  /** The clock tells of heat: nothing else does. */
  readonly slowed: boolean;
  /** A second sensor tells how the room changes. */
  readonly guided: boolean;
  /** The firmware throttles, and nothing contradicts it. */
  readonly throttled: boolean;
  /** The model is good enough to go by without the sensor. */
  readonly acquainted: boolean;
  /** Distance to keep for what the sensor no longer tells, °C. */
  readonly doubtC: number;
}

/** Step 2 of a decision: keeps what is known of the board, its neighbours and its sensor. */
export interface Identification {
  readonly observer: Observer;
  readonly foreign: ForeignLoad;
  readonly neighbours: Neighbours;
  readonly character: SensorCharacter;
  readonly responsiveness: Responsiveness;
  /** @param byKnob the part of the own load that was made with each knob */
  update(
    clean: CleanSample,
    heat: ThrottleState,
    limitC: number,
    byKnob?: readonly number[],
  ): Known;
}

/** A reading that has not changed for so long teaches nothing about gains. */
const STILL_S = 15;
/** Standard deviation of the gains, relative to them, from which they count as known. */
const IDENTIFIED = 0.4;
/** What a second sensor may be wrong by about the first one's place (one standard deviation), °C. */
const GUIDED_C = 1;
/** The same share of the CPU heats as much, whoever takes it. */
const USUAL_RATIO = 1;
/** So far below the limit nothing slows the clock because of heat, °C. */
const COOL_C = 1;
/** Seconds after a neighbour's step in which little is proven by what the model expects. */
const SETTLED_S = 180;

export function createIdentification(restored: {
  readonly observer?: ObserverState | undefined;
  readonly foreign?: ForeignLoadState | undefined;
  readonly elapsedS?: number | undefined;
  /** Knobs whose heat is to be learnt. */
  readonly knobs?: readonly string[];
}): Identification {
  const observer = createObserver(restored.observer, restored.elapsedS, restored.knobs);
  const foreign = createForeignLoad(restored.foreign);
  const neighbours = createNeighbours();
  const character = createSensorCharacter();
  const detector = createFaultDetector();
  const contradiction = createContradiction();
  const surprise = createSurprise();
  const acquaintance = createAcquaintance();
  const responsiveness = createResponsiveness();
  const second = createSecondSensor();
  const clock = createClockWatch();
  let trusted = false;

  const isIdentified = (): boolean => {
    const { gainC, sigmaC } = totalGain(observer);
    return sigmaC < IDENTIFIED * gainC;
  };

  const judge = (clean: CleanSample, contradicted: boolean, limitC: number): Verdict => {
    const expected = observer.temperature();
    // Then the clock comes and goes, told or not, and heat and readings with it.
    const mayThrottle = expected >= limitC;
    return detector.check({
      readingC: clean.readingC,
      expectedC: Number.isNaN(expected) ? null : expected,
      sigmaC: Math.hypot(observer.sigma(), character.noiseC),
      fastRiseC: observer.provenRise(),
      // A neighbour's coming and going is followed by heat that the model only guesses at.
      identified: isIdentified() && neighbours.steadyS >= SETTLED_S && !mayThrottle,
      stepC: character.stepC,
      noisy: character.noisy,
      scattered: character.scattered && !mayThrottle,
      contradicted,
      unresponsive: responsiveness.isUnresponsive,
      dtS: clean.dtS,
      jumped: clean.jumped,
    });
  };

  /** Returns the innovation; null where the reading told nothing. */
  const learn = (readingC: number, verdict: Verdict, jumped: boolean): number | null => {
    const still = verdict.stillS >= STILL_S;
    if (!still) character.update(readingC, observer.fastRise());
    if (verdict.restart || jumped) observer.reset(readingC);
    const believedC = still ? stillReading(readingC, observer.temperature(), character) : readingC;
    if (believedC === null) return null;
    const sigma = Math.hypot(observer.sigma(), character.noiseC);
    const innovation = observer.correct(believedC, character.noiseC, !still);
    const doubt = surprise.update(innovation, sigma);
    if (doubt > 0) observer.loosen(doubt);
    return innovation;
  };

  /** Where nobody can read flags and the sensor is doubted, the clock tells of heat. */
  const isSlowed = (clean: CleanSample, limitC: number): boolean => {
    const isCool = trusted && observer.temperature() < limitC - COOL_C;
    const isSlow = clock.update({ ...clean, isCool }, clean.dtS);
    return isSlow && !trusted && clean.flags === null;
  };

  /** What a second sensor tells of the room while the first one is doubted. */
  const follow = (clean: CleanSample, foreignLoad: number, verdict: Verdict): void => {
    const { load, otherC, dtS, jumped } = clean;
    const { stillS } = verdict;
    observer.warm(second.update({ otherC, load, foreignLoad, trusted, stillS, dtS, jumped }));
    if (trusted || !second.guides) return;
    // Nothing new, but what is not seen does not grow either.
    observer.correct(observer.temperature(), GUIDED_C, false);
    // It answers too late to tell what a neighbour heats, and what noise has taught of that is too little.
    observer.raiseRatio(USUAL_RATIO);
  };

  return {
    observer,
    foreign,
    neighbours,
    character,
    responsiveness,
    update(clean, flags, limitC, byKnob) {
      const slowed = isSlowed(clean, limitC);
      const heat = slowed ? { ...flags, heat: true } : flags;
      const foreignLoad = foreign.update(clean, clean.load, clean.dtS);
      neighbours.update(foreignLoad, observer.temperature() - observer.loadRise(), clean.dtS);
      observer.advance(clean.load, foreignLoad, clean.dtS, byKnob);
      responsiveness.update(clean.readingC, clean.load + foreignLoad, clean.dtS);
      const contradicted = contradiction.update(
        heat,
        { readingC: clean.readingC, limitC },
        clean.dtS,
      );
      const verdict = judge(clean, contradicted, limitC);
      const innovation =
        verdict.use && clean.readingC !== null
          ? learn(clean.readingC - verdict.biasC, verdict, clean.jumped)
          : null;
      const restarted = verdict.restart || clean.jumped;
      trusted = verdict.trust === 'good';
      follow(clean, foreignLoad, verdict);
      // A processor that is slowed is as hot as its limit, whatever the model says.
      if (slowed) observer.warm(Math.max(0, limitC - observer.temperature()));
      acquaintance.update(
        restarted ? null : innovation,
        isIdentified(),
        trusted,
        clean.dtS,
        second.guides,
      );
      const estimate = observer.temperature();
      const known = !Number.isNaN(estimate);
      return {
        verdict,
        heat,
        slowed,
        guided: second.guides,
        estimateC: known ? estimate : null,
        trusted,
        unbiasedC: (clean.readingC ?? Number.NaN) - verdict.biasC,
        // Without the CPU's use neighbours would not even be noticed.
        acquainted:
          acquaintance.good &&
          clean.cpuUtil !== null &&
          // A sensor of another place taught nothing of this board.
          verdict.fault !== 'contradicted' &&
          verdict.fault !== 'unresponsive',
        doubtC: acquaintance.doubtC,
        throttled: heat.heat && !contradiction.suspected && known && trusted,
      };
    },
  };
}
