import { codedError } from '../errors.js';
import type { LadderRules } from './ladder.js';
import { GOVERNOR_RANGES as ranges } from './ranges.js';
import type { Rung } from './sample.js';

export interface GovernorOptions {
  /** The variants that can be run, by cost. At least one. */
  readonly ladder: readonly Rung[];
  /** Temperature never to reach, °C. */
  readonly limitC: number;
  /** Frames a second asked for until a sample says otherwise. */
  readonly requestedFps: number;
  /** Distance kept from the limit, °C; default 1.5. */
  readonly marginC?: number;
  /**
   * Temperature to stay at where that costs accuracy only, °C: for a sealed box, or a fan that should stay
   * off. The cheapest rung keeps its rate until the limit asks for it. Null: as warm as the limit allows.
   */
  readonly targetC?: number | null;
  readonly pin?: string;
  readonly floorAlpha?: number;
  readonly floorSize?: number;
  /** Least frame rate, default 0.1; half of what is asked for where that is less. */
  readonly minFps?: number;
  /** `cool` stays `COOLER_C` below the limit unless `targetC` says how cool. */
  readonly prefer?: 'accuracy' | 'fps' | 'cool';
  /** What `snapshot()` returned in an earlier life; ignored when it does not fit. */
  readonly restore?: unknown;
  /** Time since that snapshot, s, when it is known (then the board's warmth is remembered too). */
  readonly restoreElapsedS?: number;
}

export interface Settings {
  readonly ladder: readonly Rung[];
  readonly limitC: number;
  readonly marginC: number;
  readonly targetC: number | null;
  readonly requestedFps: number;
  readonly rules: LadderRules;
}

export const DEFAULT_LIMIT_C = 80;
export const DEFAULT_MARGIN_C = 1.5;
/** What a cool board stays below its limit by, °C. */
export const COOLER_C = 15;

/** Fills in and bounds the options. Throws MND_MODEL_MISSING when the ladder is empty. */
export function settingsOf(options: GovernorOptions): Settings {
  const usable = options.ladder.some((rung) => rung.costMs > 0 && Number.isFinite(rung.costMs));
  if (!usable) {
    throw codedError('MND_MODEL_MISSING', {
      subject: 'governor',
      expected: 'at least one variant with a measured cost',
      found: `${options.ladder.length} variants`,
      next: 'install a model with `mobilenetd models pull`',
    });
  }
  const limitC = bounded(options.limitC, ranges.limitC, DEFAULT_LIMIT_C);
  const cool = options.prefer === 'cool' ? limitC - COOLER_C : null;
  const wished = options.targetC ?? cool;
  return {
    ladder: options.ladder,
    limitC,
    marginC: bounded(options.marginC, ranges.marginC, DEFAULT_MARGIN_C),
    targetC: wished === null ? null : bounded(wished, ranges.targetC, DEFAULT_LIMIT_C),
    requestedFps: bounded(options.requestedFps, { min: 0, max: 1000 }, 10),
    rules: {
      pin: options.pin ?? 'auto',
      floorAlpha: options.floorAlpha ?? 0,
      floorSize: options.floorSize ?? 0,
      minFps: bounded(options.minFps, ranges.minFps, 0.1),
      prefer: options.prefer === 'fps' ? 'fps' : 'accuracy',
    },
  };
}

export function bounded(
  value: number | null | undefined,
  range: { readonly min: number; readonly max: number },
  fallback: number,
): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return fallback;
  return Math.min(range.max, Math.max(range.min, value));
}
