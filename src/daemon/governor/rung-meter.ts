import { messageOf } from '../../errors.js';
import type { Variant } from '../../models/variant.js';
import type { Thermometer } from '../../thermal/thermometer.js';
import { sleep, systemClock } from '../../time.js';
import type { Log } from '../diagnostics/log.js';
import type { MeasuredRung } from '../governor-state.js';
import type { MixedEngine } from '../line/mixed-engine.js';
import type { SchedulerStats } from '../line/scheduler.js';
import type { Ladder } from '../model.js';
import type { Signals } from '../signals.js';
import { measureRungs } from './rungs.js';

export interface RungMeterOptions {
  readonly thermometer: Pick<Thermometer, 'costMs'>;
  readonly engine: Pick<MixedEngine, 'measure'>;
  readonly stats: () => Pick<SchedulerStats, 'labelled'>;
  readonly signals: Signals;
  /** What a variant is worth for what was taught on this board, percent; null: nothing is known. */
  readonly taughtQuality?: (variant: Variant) => number | null;
  /** Ends what is being measured. */
  readonly stopping: AbortSignal;
  readonly log: Log;
}

/** Milliseconds that measuring waits for a first frame, which may never come. */
const FIRST_FRAME_MS = 30_000;

/** Finds out what each variant of a ladder costs on this board: what is known already is not measured. */
export class RungMeter {
  readonly #options: RungMeterOptions;
  /** Resolves when a frame has been labelled, or none came. */
  #mayMeasure: Promise<void> | null = null;

  constructor(options: RungMeterOptions) {
    this.#options = options;
  }

  /**
   * The rungs of a ladder; a variant that cannot be measured is left out, which is logged.
   *
   * @param known costs by the name of the variant that need not be measured, ms
   */
  measure(
    { variants, measuredMs, ways }: Ladder,
    known: ReadonlyMap<string, number> = new Map(),
  ): Promise<MeasuredRung[]> {
    const { thermometer, log, taughtQuality, stopping } = this.#options;
    return measureRungs({
      variants,
      waysOf: ({ name }) => ways.get(name) ?? [],
      ...(taughtQuality && { taughtQuality }),
      costMs: (variant) =>
        known.get(variant.name) ??
        thermometer.costMs(variant) ??
        measuredMs.get(variant.name) ??
        this.#measureNow(variant),
      onError: (variant, error) => {
        if (stopping.aborted) return;
        log.warn({ err: error }, `governor: ${variant.name} is left out: ${messageOf(error)}`);
      },
    });
  }

  /** On a slow board this takes a minute, for which the first frame must not wait. */
  async #measureNow(variant: Variant): Promise<number> {
    const { stopping, engine } = this.#options;
    const timeout = () => sleep(systemClock, FIRST_FRAME_MS, stopping);
    this.#mayMeasure ??= Promise.race([this.#firstFrame(), timeout()]);
    await this.#mayMeasure;
    stopping.throwIfAborted();
    return engine.measure(variant);
  }

  #firstFrame(): Promise<void> {
    const { stats, signals, stopping } = this.#options;
    if (stats().labelled > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = signals.on('labelled', () => {
        end();
        resolve();
      });
      stopping.addEventListener('abort', end, { once: true });
    });
  }
}
