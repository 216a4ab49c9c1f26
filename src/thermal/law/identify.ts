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

/** What was learnt before a restart. */
export interface Restored {
  readonly observer?: ObserverState | undefined;
  readonly foreign?: ForeignLoadState | undefined;
  readonly elapsedS?: number | undefined;
  /** Knobs whose heat is to be learnt. */
  readonly knobs?: readonly string[];
}

/** Step 2 of a decision: keeps what is known of the board, its neighbours and its sensor. */
export class Identification {
  readonly observer: Observer;
  readonly foreign: ForeignLoad;
  readonly neighbours: Neighbours = createNeighbours();
  readonly character: SensorCharacter = createSensorCharacter();
  readonly responsiveness: Responsiveness = createResponsiveness();
  readonly #detector = createFaultDetector();
  readonly #contradiction = createContradiction();
  readonly #surprise = createSurprise();
  readonly #acquaintance = createAcquaintance();
  readonly #second = createSecondSensor();
  readonly #clock = createClockWatch();
  #trusted = false;

  constructor(restored: Restored) {
    this.observer = createObserver(restored.observer, restored.elapsedS, restored.knobs);
    this.foreign = createForeignLoad(restored.foreign);
  }

  /** @param byKnob the part of the own load that was made with each knob */
  update(
    clean: CleanSample,
    flags: ThrottleState,
    limitC: number,
    byKnob?: readonly number[],
  ): Known {
    const { observer } = this;
    const { readingC, load, dtS, jumped } = clean;
    const slowed = this.#isSlowed(clean, limitC);
    const heat = slowed ? { ...flags, heat: true } : flags;
    const foreignLoad = this.foreign.update(clean, load, dtS);
    this.neighbours.update(foreignLoad, observer.temperature() - observer.loadRise(), dtS);
    observer.advance(load, foreignLoad, dtS, byKnob);
    this.responsiveness.update(readingC, load + foreignLoad, dtS);
    const contradicted = this.#contradiction.update(heat, { readingC, limitC }, dtS);
    const verdict = this.#judge(clean, contradicted, limitC);
    const innovation =
      verdict.use && readingC !== null
        ? this.#learn(readingC - verdict.biasC, verdict, jumped)
        : null;
    this.#trusted = verdict.trust === 'good';
    this.#follow(clean, foreignLoad, verdict);
    // A processor that is slowed is as hot as its limit, whatever the model says.
    if (slowed) observer.warm(Math.max(0, limitC - observer.temperature()));
    const told = verdict.restart || jumped ? null : innovation;
    const { guides } = this.#second;
    this.#acquaintance.update(told, this.#isIdentified(), this.#trusted, dtS, guides);
    return this.#known(clean, heat, slowed, verdict);
  }

  #known(clean: CleanSample, heat: ThrottleState, slowed: boolean, verdict: Verdict): Known {
    const estimate = this.observer.temperature();
    const known = !Number.isNaN(estimate);
    const trusted = this.#trusted;
    return {
      verdict,
      heat,
      slowed,
      guided: this.#second.guides,
      estimateC: known ? estimate : null,
      trusted,
      unbiasedC: (clean.readingC ?? Number.NaN) - verdict.biasC,
      // Without the CPU's use neighbours would not even be noticed.
      acquainted:
        this.#acquaintance.good &&
        clean.cpuUtil !== null &&
        // A sensor of another place taught nothing of this board.
        verdict.fault !== 'contradicted' &&
        verdict.fault !== 'unresponsive',
      doubtC: this.#acquaintance.doubtC,
      throttled: heat.heat && !this.#contradiction.suspected && known && trusted,
    };
  }

  #isIdentified(): boolean {
    const { gainC, sigmaC } = totalGain(this.observer);
    return sigmaC < IDENTIFIED * gainC;
  }

  #judge(clean: CleanSample, contradicted: boolean, limitC: number): Verdict {
    const { observer, character } = this;
    const expected = observer.temperature();
    // Then the clock comes and goes, told or not, and heat and readings with it.
    const mayThrottle = expected >= limitC;
    const isSettled = this.neighbours.steadyS >= SETTLED_S;
    return this.#detector.check({
      readingC: clean.readingC,
      expectedC: Number.isNaN(expected) ? null : expected,
      sigmaC: Math.hypot(observer.sigma(), character.noiseC),
      fastRiseC: observer.provenRise(),
      // A neighbour's coming and going is followed by heat that the model only guesses at.
      identified: this.#isIdentified() && isSettled && !mayThrottle,
      stepC: character.stepC,
      noisy: character.noisy,
      scattered: character.scattered && !mayThrottle,
      contradicted,
      unresponsive: this.responsiveness.isUnresponsive,
      dtS: clean.dtS,
      jumped: clean.jumped,
    });
  }

  /** Returns the innovation; null where the reading told nothing. */
  #learn(readingC: number, verdict: Verdict, jumped: boolean): number | null {
    const { observer, character } = this;
    const still = verdict.stillS >= STILL_S;
    if (!still) character.update(readingC, observer.fastRise());
    if (verdict.restart || jumped) observer.reset(readingC);
    const believedC = still ? stillReading(readingC, observer.temperature(), character) : readingC;
    if (believedC === null) return null;
    const sigma = Math.hypot(observer.sigma(), character.noiseC);
    const innovation = observer.correct(believedC, character.noiseC, !still);
    const doubt = this.#surprise.update(innovation, sigma);
    if (doubt > 0) observer.loosen(doubt);
    return innovation;
  }

  /** Where nobody can read flags and the sensor is doubted, the clock tells of heat. */
  #isSlowed(clean: CleanSample, limitC: number): boolean {
    const isCool = this.#trusted && this.observer.temperature() < limitC - COOL_C;
    const isSlow = this.#clock.update({ ...clean, isCool }, clean.dtS);
    return isSlow && !this.#trusted && clean.flags === null;
  }

  /** What a second sensor tells of the room while the first one is doubted. */
  #follow(clean: CleanSample, foreignLoad: number, { stillS }: Verdict): void {
    const { observer } = this;
    const { load, otherC, dtS, jumped } = clean;
    const trusted = this.#trusted;
    observer.warm(this.#second.update({ otherC, load, foreignLoad, trusted, stillS, dtS, jumped }));
    if (trusted || !this.#second.guides) return;
    // Nothing new, but what is not seen does not grow either.
    observer.correct(observer.temperature(), GUIDED_C, false);
    // It answers too late to tell what a neighbour heats, and what noise has taught of that is too little.
    observer.raiseRatio(USUAL_RATIO);
  }
}
