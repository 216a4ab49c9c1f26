import type { Frame } from '../../camera/source.js';
import { codedError, isCodedError } from '../../errors.js';
import type { Engine, RunOptions } from '../../inference/engine.js';
import type { Result } from '../../inference/result.js';
import type { Variant } from '../../models/variant.js';
import { createErrorDiffusion } from '../../thermal/mix.js';
import { type Clock, createBackoff, systemClock } from '../../time.js';
import { load, whileLoaded } from './loading.js';

/** Which variants label frames: `fraction` of them by `high`, the rest by `low` (may be the same). */
export interface VariantMix {
  readonly low: Variant;
  readonly high: Variant;
  /** 0 to 1. */
  readonly fraction: number;
}

export type StartEngine = (onFault: (error: Error) => void) => Promise<Engine>;

export interface MixedEngineOptions {
  /** Starts an engine; called again after its worker died. */
  readonly start: StartEngine;
  readonly onFault: (error: Error) => void;
  /** The classes that a variant has to compute; null: all. Absent: all of every variant. */
  readonly keptOf?: KeptOf;
  /** Told once of a file whose classes cannot be computed apart: all of them are. */
  readonly onWhole?: (variant: Variant, error: unknown) => void;
  readonly clock?: Clock;
}

export type KeptOf = (variant: Variant) => readonly number[] | null;

/** Runs of a measurement; one that has taken this long, ms, ends after fewer. */
const MEASURE = { most: 9, least: 2, enoughMs: 1500 };

/** The engine with the mix of variants in use; outlives the death of its worker. */
export class MixedEngine {
  readonly #onFault: (error: Error) => void;
  readonly #clock: Clock;
  readonly #backoff = createBackoff();
  readonly #diffusion = createErrorDiffusion();
  readonly #onWhole: (variant: Variant, error: unknown) => void;
  /** Checksums of files that were loaded whole, for their classes cannot be computed apart. */
  readonly #whole = new Set<string>();
  #keptOf: KeptOf;
  #start: StartEngine;
  #engine: Engine | null = null;
  #mix: VariantMix | null = null;
  #embedding = false;
  #cancelRestart: (() => void) | null = null;
  #closed = false;
  /** Counts replacements: what was begun for an earlier engine does not touch the next. */
  #generation = 0;

  constructor(options: MixedEngineOptions) {
    const {
      start,
      onFault,
      keptOf = () => null,
      onWhole = () => {},
      clock = systemClock,
    } = options;
    this.#start = start;
    this.#onFault = onFault;
    this.#keptOf = keptOf;
    this.#onWhole = onWhole;
    this.#clock = clock;
  }

  /** Starts the engine and loads the first variant. */
  async open(variant: Variant): Promise<void> {
    const mix = unmixed(variant);
    this.#engine = await this.#launch(this.#start, mix);
    this.#mix = mix;
  }

  /**
   * Takes another engine, started beside the one that serves until it is ready. When that throws,
   * nothing has changed.
   */
  async replace(start: StartEngine, variant: Variant): Promise<void> {
    const mix = unmixed(variant);
    const fresh = await this.#launch(start, mix);
    const old = this.#engine;
    this.#generation += 1;
    this.#cancelRestart?.();
    this.#cancelRestart = null;
    this.#backoff.reset();
    this.#start = start;
    this.#engine = fresh;
    this.#mix = mix;
    // What it was asked before is answered.
    await old?.close();
  }

  /** Loads what the mix needs and then uses it; until then the old variants serve. */
  async use(mix: VariantMix): Promise<void> {
    const generation = this.#generation;
    if (this.#engine !== null) await this.#load(this.#engine, mix);
    if (generation === this.#generation) this.#mix = mix;
  }

  /**
   * Whether sessions give embeddings; from when this resolves on, results that are asked for one carry it.
   * Frames meanwhile are served by the sessions that there are, without.
   *
   * @throws MND_MODEL_OPERATOR for a network without embeddings; nothing has changed then
   */
  async setEmbedding(wanted: boolean): Promise<void> {
    if (wanted === this.#embedding) return;
    this.#embedding = wanted;
    const engine = this.#engine;
    // An engine that is started anew loads what is wanted then.
    if (engine === null || this.#mix === null) return;
    try {
      await this.#load(engine, this.#mix);
    } catch (error) {
      this.#embedding = !wanted;
      throw error;
    }
  }

  /**
   * From when this resolves on, results have all classes that are asked for now. Frames meanwhile are served
   * by the sessions that there are. When it throws, nothing has changed.
   */
  async setKept(keptOf: KeptOf): Promise<void> {
    const before = this.#keptOf;
    const [engine, mix] = [this.#engine, this.#mix];
    this.#keptOf = keptOf;
    if (engine === null || mix === null) return;
    const isSame = (variant: Variant) => before(variant)?.join() === keptOf(variant)?.join();
    if (isSame(mix.low) && isSame(mix.high)) return;
    try {
      await this.#load(engine, mix);
    } catch (error) {
      this.#keptOf = before;
      throw error;
    }
  }

  mix(): VariantMix | null {
    return this.#mix;
  }

  /** Numbers of the classes that a variant computes here; null: all. */
  classesOf(variant: Variant): readonly number[] | null {
    return this.#asWanted(variant).keptClasses ?? null;
  }

  /**
   * Least wall time of an inference of a variant, ms: what else the machine does must not order the
   * ladder. Frames take turns with the runs, so that none waits for more than one of them.
   */
  async measure(measured: Variant): Promise<number> {
    const engine = this.#engine;
    if (engine === null) throw codedError('MND_INFERENCE_CLOSED');
    await this.#load(engine, unmixed(measured));
    const variant = this.#asWanted(measured);
    let leastMs = Number.POSITIVE_INFINITY;
    let spentMs = 0;
    for (let run = 0; run < MEASURE.most; run += 1) {
      if (run >= MEASURE.least && spentMs > MEASURE.enoughMs) break;
      // One a request: the worker answers in turn, and a frame may have its turn in between.
      const { minMs } = await whileLoaded(engine, variant, () =>
        engine.profile(variant.name, { runs: 1, warmup: 0 }),
      );
      leastMs = Math.min(leastMs, minMs);
      spentMs += minMs;
    }
    return leastMs;
  }

  /** @param name of the variant of the mix that is to run; default: whose turn it is */
  async infer(frame: Frame, run: RunOptions, name?: string): Promise<Result> {
    const engine = this.#engine;
    if (engine === null || this.#mix === null) {
      throw codedError('MND_INFERENCE_CLOSED', {
        next: 'frames are skipped until it has been started again',
      });
    }
    const { low, high, fraction } = this.#mix;
    const asked = [high, low].find((variant) => variant.name === name);
    const next = asked ?? (this.#diffusion.next(fraction) ? high : low);
    const variant = this.#asWanted(next);
    const result = await whileLoaded(engine, variant, () => engine.run(variant.name, frame, run));
    this.#backoff.reset();
    return result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRestart?.();
    await this.#engine?.close();
    this.#engine = null;
  }

  #prepared(mix: VariantMix): VariantMix {
    return { ...mix, low: this.#asWanted(mix.low), high: this.#asWanted(mix.high) };
  }

  #asWanted(variant: Variant): Variant {
    const kept = this.#whole.has(variant.sha256) ? null : this.#keptOf(variant);
    if (!this.#embedding && kept === null) return variant;
    return {
      ...variant,
      ...(this.#embedding && { embedding: true }),
      ...(kept !== null && { keptClasses: kept }),
    };
  }

  /** Loads a mix as it is wanted; a network whose classes cannot be computed apart is loaded whole. */
  async #load(engine: Engine, mix: VariantMix): Promise<void> {
    try {
      await load(engine, this.#prepared(mix));
    } catch (error) {
      const cut = [mix.low, mix.high].filter(
        (variant) => this.#asWanted(variant).keptClasses !== undefined,
      );
      if (!isCodedError(error) || error.code !== 'MND_MODEL_OPERATOR' || cut.length === 0)
        throw error;
      for (const { sha256 } of cut) this.#whole.add(sha256);
      try {
        await load(engine, this.#prepared(mix));
      } catch (again) {
        // It was not for the classes.
        for (const { sha256 } of cut) this.#whole.delete(sha256);
        throw again;
      }
      this.#onWhole(cut[0] as Variant, error);
    }
  }

  /** An engine with the mix loaded; a fault before it serves is thrown, not reported. */
  async #launch(start: StartEngine, mix: VariantMix): Promise<Engine> {
    let launched: Engine | null = null;
    const fresh = await start((error) => {
      if (launched !== null && launched === this.#engine) this.#restartAfter(error);
    });
    launched = fresh;
    try {
      await this.#load(fresh, mix);
      return fresh;
    } catch (error) {
      await fresh.close();
      throw error;
    }
  }

  #restartAfter(fault: Error): void {
    this.#engine = null;
    if (this.#closed) return;
    this.#onFault(fault);
    this.#scheduleRestart();
  }

  #scheduleRestart(): void {
    if (this.#cancelRestart !== null) return;
    this.#cancelRestart = this.#clock.setTimer(() => {
      this.#cancelRestart = null;
      void this.#restart();
    }, this.#backoff.next());
  }

  async #restart(): Promise<void> {
    if (this.#closed || this.#mix === null) return;
    const generation = this.#generation;
    const isOver = () => this.#closed || generation !== this.#generation;
    try {
      let loaded = this.#mix;
      const fresh = await this.#launch(this.#start, loaded);
      // The mix may change while it is loaded.
      while (loaded !== this.#mix && !isOver()) {
        loaded = this.#mix;
        await this.#load(fresh, loaded);
      }
      if (isOver()) await fresh.close();
      else this.#engine = fresh;
    } catch (error) {
      if (isOver()) return;
      this.#onFault(error instanceof Error ? error : new Error(String(error)));
      this.#scheduleRestart();
    }
  }
}

function unmixed(variant: Variant): VariantMix {
  return { low: variant, high: variant, fraction: 1 };
}
