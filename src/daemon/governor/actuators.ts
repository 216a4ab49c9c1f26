import type { Decision } from '../../thermal/governor.js';
import { type MeasuredRung, variantOf } from '../governor-state.js';
import type { MixedEngine } from '../line/mixed-engine.js';
import { createCoolCapture } from './cool-capture.js';
import { createStreamRate } from './stream-rate.js';

/** A camera as the governor acts on it. */
export interface GovernedCamera {
  readonly fps: number;
  limitRate(fps: number | null): void;
  keepCool(on: boolean): void;
  /** Part of its own rate that the camera is asked for; cameras elsewhere keep theirs. */
  slowStream(part: number): void;
}

export interface ActuatorsOptions {
  readonly engine: Pick<MixedEngine, 'use'>;
  readonly cameras: () => readonly GovernedCamera[];
  /** The governor's least frame rate. */
  readonly minFps: number;
}

/** Carries decisions out: the mix of variants, and the rate at which each camera is looked at. */
export class Actuators {
  readonly #engine: ActuatorsOptions['engine'];
  readonly #cameras: ActuatorsOptions['cameras'];
  readonly #coolCapture;
  readonly #streamRate = createStreamRate();

  constructor({ engine, cameras, minFps }: ActuatorsOptions) {
    this.#engine = engine;
    this.#cameras = cameras;
    this.#coolCapture = createCoolCapture(minFps);
  }

  /** Lets cameras that may take stills while it is too hot, also while none of them delivers. */
  coolCameras(decision: Decision, timeS: number): void {
    const cool = this.#coolCapture.update(decision, timeS);
    for (const camera of this.#cameras()) camera.keepCool(cool);
  }

  /**
   * Asks cameras for little more than is labelled while it is warm.
   *
   * @param labelled part of the frames asked for that were labelled, 0 to 1
   * @returns the part that is asked for
   */
  slowCameras(decision: Decision, labelled: number, timeS: number): number {
    const part = this.#streamRate.update(decision, labelled, timeS);
    for (const camera of this.#cameras()) camera.slowStream(part);
    return part;
  }

  /**
   * Resolves with whether it could be done: false for rungs that are not there.
   *
   * @param requestedFps frames a second that the cameras ask for
   */
  async apply(
    decision: Decision,
    rungs: readonly MeasuredRung[],
    requestedFps: number,
  ): Promise<boolean> {
    const { mix, ways } = decision;
    const low = variantOf(rungs[mix.low], ways.low);
    const high = variantOf(rungs[mix.high], ways.high);
    if (low === undefined || high === undefined) return false;
    await this.#engine.use({ low, high, fraction: mix.fraction });
    const isLimited = decision.fps < requestedFps;
    const share = decision.fps / Math.max(requestedFps, 1e-6);
    for (const camera of this.#cameras()) camera.limitRate(isLimited ? camera.fps * share : null);
    return true;
  }
}
