import type { Frame } from '../camera/source.js';
import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { runChild } from '../models/install/child.js';
import type { HeatReading } from '../thermal/thermometer.js';
import { type Clock, every, sleep, systemClock } from '../time.js';
import type { ProfileChildAnswer, ProfileChildRequest } from './child.js';
import {
  comparedForm,
  filesOf,
  type ProfileBoard,
  type Profiles,
  profileOf,
  readProfiles,
  scaleOf,
  type VariantForms,
  type VariantProfile,
  writeProfiles,
} from './profiles.js';

export interface MeasureFormsOptions {
  readonly threads: readonly number[];
  /** Default: the shipped ones. */
  readonly pictures?: readonly Frame[];
  /** The variant whose scores are the scale (may be the same). */
  readonly reference: VariantForms;
  /** To compare scores on. Default: `pictures`, and variations of the shipped photo. */
  readonly scalePictures?: readonly Frame[];
  readonly rounds?: number;
  /** Whether cameras are looked at meanwhile: then everything else goes first. */
  readonly background: boolean;
  readonly signal?: AbortSignal;
}

/** Enough turns for a median. */
const ROUNDS = 9;
/** In the background half of one core's time is left alone, whatever its priority. */
const BACKGROUND_REST = 0.5;
const CHILD_TIMEOUT_MS = 900_000;

/**
 * Thread counts worth a try: up to every core but one, at most three (more gain little and heat a
 * lot).
 */
export function threadCounts(cores: number): number[] {
  const most = Math.max(1, Math.min(3, cores - 1));
  return Array.from({ length: most }, (_, index) => index + 1);
}

/**
 * Measures a variant in all its forms, in a process of its own.
 *
 * @throws what loading its files throws; MND_INFERENCE_FAILED
 */
export async function measureForms(
  forms: VariantForms,
  options: MeasureFormsOptions,
): Promise<VariantProfile> {
  const { threads, pictures = null, rounds = ROUNDS, background, signal } = options;
  const { reference, scalePictures = null } = options;
  const rest = background ? BACKGROUND_REST : 0;
  const request: ProfileChildRequest = {
    variants: forms,
    threads,
    pictures,
    rounds,
    rest,
    background,
    scale: {
      variant: comparedForm(forms),
      reference: comparedForm(reference),
      pictures: scalePictures,
    },
  };
  const { costs, scale } = await runChild<ProfileChildAnswer>({
    script: new URL('./child.js', import.meta.url),
    request,
    code: 'MND_INFERENCE_FAILED',
    subject: forms[0].name,
    timeout: CHILD_TIMEOUT_MS,
    signal,
  });
  return {
    measured: new Date(systemClock.wall()).toISOString(),
    files: filesOf(forms),
    costs,
    scale,
  };
}

export interface ProfilingOptions {
  readonly stateDir: string;
  readonly board: ProfileBoard;
  /** What is installed, in the order in which it is wanted. */
  readonly forms: () => Promise<readonly VariantForms[]>;
  /** The variant whose scores are the scale of another's. */
  readonly referenceOf: (forms: VariantForms) => VariantForms;
  readonly measure: (forms: VariantForms, signal: AbortSignal) => Promise<VariantProfile>;
  readonly heat: () => Promise<HeatReading>;
  /** Bytes that may still be taken on this board; null where that is not known. */
  readonly room?: () => number | null;
  /** Temperature never to reach, °C; null while it is not known. */
  readonly limitC: () => number | null;
  /** Told once when something new was measured. */
  readonly onMeasured: (profiles: Profiles) => Promise<void>;
  readonly log: Log;
  /** Milliseconds before the first measurement. */
  readonly delayMs?: number;
  /** Milliseconds between looks at the temperature. */
  readonly pollMs?: number;
  readonly clock?: Clock;
}

export interface Profiling {
  /** Resolves when all is measured, or was given up; never rejects. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

const DELAY_MS = 30_000;
const POLL_MS = 1000;
/** Degrees below the limit that a measurement may begin at, and must end at. */
const BEGIN_BELOW = 10;
const END_BELOW = 5;
/**
 * Bytes that must be free for a measurement to begin, and to go on. Its process takes up to 250 MB
 * (ssdlite_mobilenet_v2_coco in all its forms), and the daemon's own pictures up to 150.
 */
const BEGIN_ROOM = 300e6;
const END_ROOM = 60e6;
/** Where no limit is known: below any throttle point. */
const USUAL_LIMIT_C = 80;

/**
 * Measures what has no profile yet, one variant after the other, while the daemon works. Waits while
 * the board is hot or short of memory, and gives a measurement up that makes it so, to begin it again
 * when it no longer is.
 */
export function startProfiling(options: ProfilingOptions): Profiling {
  const { log, stateDir, board, pollMs = POLL_MS, clock = systemClock } = options;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function pause(ms: number): Promise<void> {
    await sleep(clock, ms, signal);
    signal.throwIfAborted();
  }

  async function isHot(below: number): Promise<boolean> {
    const { tempC } = await options.heat();
    return tempC !== null && tempC > (options.limitC() ?? USUAL_LIMIT_C) - below;
  }

  function isTight(atLeast: number): boolean {
    return (options.room?.() ?? atLeast) < atLeast;
  }

  let isTightTold = false;
  async function waitForRoom(): Promise<void> {
    while (isTight(BEGIN_ROOM)) {
      if (!isTightTold) {
        const needed = Math.round(BEGIN_ROOM / 1e6);
        log.info({}, `profile: waits until ${needed} MB of memory are free, to measure this board`);
      }
      isTightTold = true;
      await pause(pollMs);
    }
  }

  async function measureWhenFit(forms: VariantForms): Promise<VariantProfile> {
    for (;;) {
      while (await isHot(BEGIN_BELOW)) await pause(pollMs);
      await waitForRoom();
      const giveUp = new AbortController();
      const unwatch = every(clock, pollMs, () => {
        if (isTight(END_ROOM)) giveUp.abort('memory is short');
        // A sensor that cannot be read now will be in a second.
        void isHot(END_BELOW).then(
          (is) => is && giveUp.abort('the board is hot'),
          () => {},
        );
      });
      try {
        return await options.measure(forms, AbortSignal.any([signal, giveUp.signal]));
      } catch (error) {
        if (signal.aborted || !giveUp.signal.aborted) throw error;
        log.info(
          { variant: forms[0].name },
          `profile: ${giveUp.signal.reason}; trying again when it is not`,
        );
      } finally {
        unwatch();
      }
    }
  }

  async function work(): Promise<void> {
    await pause(options.delayMs ?? DELAY_MS);
    let profiles = await readProfiles(stateDir, board);
    let measured = 0;
    for (const forms of await options.forms()) {
      const isScaled = scaleOf(profiles, forms, options.referenceOf(forms)) !== null;
      if (profileOf(profiles, forms) !== null && isScaled) continue;
      const { name } = forms[0];
      try {
        const profile = await measureWhenFit(forms);
        profiles = { board, variants: { ...profiles.variants, [name]: profile } };
        measured += 1;
        // Each is kept at once: a restart begins where this one ended.
        await writeProfiles(stateDir, profiles);
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ err: error }, `profile: ${name} is left out: ${messageOf(error)}`);
      }
    }
    if (measured === 0) return;
    log.info({ variants: measured }, 'profile: measured on this board');
    await options.onMeasured(profiles);
  }

  const done = work().catch((error: unknown) => {
    if (!signal.aborted) log.warn({ err: error }, `profile: ended: ${messageOf(error)}`);
  });
  return {
    done,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
