import type { ThrottleState } from '../throttle-flags.js';
import { createAcquaintance } from './acquaintance.js';
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

  return {
    observer,
    foreign,
    neighbours,
    character,
    responsiveness,
    update(clean, heat, limitC, byKnob) {
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
      acquaintance.update(
        restarted ? null : innovation,
        isIdentified(),
        verdict.trust === 'good',
        clean.dtS,
      );
      const estimate = observer.temperature();
      const known = !Number.isNaN(estimate);
      const trusted = verdict.trust === 'good';
      return {
        verdict,
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
