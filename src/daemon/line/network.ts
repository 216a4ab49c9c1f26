import type { Frame } from '../../camera/source.js';
import { codedError } from '../../errors.js';
import type { Engine, RunOptions } from '../../inference/engine.js';
import type { Result } from '../../inference/result.js';
import type { Variant } from '../../models/variant.js';
import { createErrorDiffusion } from '../../thermal/mix.js';

/** Which variants label frames: `fraction` of them by `high`, the rest by `low` (may be the same). */
export interface VariantMix {
  readonly low: Variant;
  readonly high: Variant;
  /** 0 to 1. */
  readonly fraction: number;
}

export type StartEngine = (onFault: (error: Error) => void) => Promise<Engine>;

export interface NetworkOptions {
  /** Starts an engine; called again after its worker died. */
  readonly start: StartEngine;
  readonly onFault: (error: Error) => void;
  readonly setTimer?: (run: () => void, ms: number) => () => void;
}

/** The engine with the variants in use; outlives the death of its worker. */
export interface Network {
  /** Starts the engine and loads the first variant. */
  open(variant: Variant): Promise<void>;
  /**
   * Takes another engine, started beside the one that serves until it is ready. When that throws,
   * nothing has changed.
   */
  replace(start: StartEngine, variant: Variant): Promise<void>;
  /** Loads what the mix needs and then uses it; until then the old variants serve. */
  use(mix: VariantMix): Promise<void>;
  mix(): VariantMix | null;
  /**
   * Least wall time of an inference of a variant, ms: what else the machine does must not order the
   * ladder. Frames take turns with the runs, so that none waits for more than one of them.
   */
  measure(variant: Variant): Promise<number>;
  infer(frame: Frame, options: RunOptions): Promise<Result>;
  close(): Promise<void>;
}

/** Runs of a measurement; one that has taken this long, ms, ends after fewer. */
const MEASURE = { most: 9, least: 2, enoughMs: 1500 };
const FIRST_RESTART_MS = 1000;
const LAST_RESTART_MS = 60_000;

export function createNetwork(options: NetworkOptions): Network {
  const setTimer = options.setTimer ?? startTimer;
  let engine: Engine | null = null;
  let current: VariantMix | null = null;
  const diffusion = createErrorDiffusion();
  let restartDelay = FIRST_RESTART_MS;
  let cancelRestart: (() => void) | null = null;
  let closed = false;
  let { start } = options;
  /** Counts replacements: what was begun for an earlier engine does not touch the next. */
  let round = 0;

  async function load(target: Engine, mix: VariantMix): Promise<void> {
    await target.load(mix.high);
    if (mix.low.name !== mix.high.name) await target.load(mix.low);
  }

  /** An engine with the mix loaded; a fault before it serves is thrown, not reported. */
  async function launch(starting: StartEngine, mix: VariantMix): Promise<Engine> {
    let mine: Engine | null = null;
    const fresh = await starting((error) => {
      if (mine !== null && mine === engine) onFault(error);
    });
    mine = fresh;
    try {
      await load(fresh, mix);
      return fresh;
    } catch (error) {
      await fresh.close();
      throw error;
    }
  }

  function next(mix: VariantMix): Variant {
    return diffusion.next(mix.fraction) ? mix.high : mix.low;
  }

  function onFault(error: Error): void {
    engine = null;
    if (closed) return;
    options.onFault(error);
    scheduleRestart();
  }

  function scheduleRestart(): void {
    if (cancelRestart !== null) return;
    cancelRestart = setTimer(() => {
      cancelRestart = null;
      void restart();
    }, restartDelay);
    restartDelay = Math.min(restartDelay * 2, LAST_RESTART_MS);
  }

  async function restart(): Promise<void> {
    if (closed || current === null) return;
    const mine = round;
    const isOver = () => closed || mine !== round;
    try {
      let loaded = current;
      const fresh = await launch(start, loaded);
      // The mix may change while it is loaded.
      while (loaded !== current && !isOver()) {
        loaded = current;
        await load(fresh, loaded);
      }
      if (isOver()) await fresh.close();
      else engine = fresh;
    } catch (error) {
      if (isOver()) return;
      options.onFault(error instanceof Error ? error : new Error(String(error)));
      scheduleRestart();
    }
  }

  return {
    async open(variant) {
      const mix = { low: variant, high: variant, fraction: 1 };
      engine = await launch(start, mix);
      current = mix;
    },
    async replace(nextStart, variant) {
      const mix = { low: variant, high: variant, fraction: 1 };
      const fresh = await launch(nextStart, mix);
      const old = engine;
      round += 1;
      cancelRestart?.();
      cancelRestart = null;
      restartDelay = FIRST_RESTART_MS;
      start = nextStart;
      engine = fresh;
      current = mix;
      // What it was asked before is answered.
      await old?.close();
    },
    async use(mix) {
      const mine = round;
      if (engine !== null) await load(engine, mix);
      if (mine === round) current = mix;
    },
    mix: () => current,
    async measure(variant) {
      if (engine === null) throw codedError('MND_INFERENCE_CLOSED');
      const measured = engine;
      await measured.load(variant);
      let leastMs = Number.POSITIVE_INFINITY;
      let spentMs = 0;
      for (let run = 0; run < MEASURE.most; run += 1) {
        if (run >= MEASURE.least && spentMs > MEASURE.enoughMs) break;
        // One a request: the worker answers in turn, and a frame may have its turn in between.
        const { minMs } = await measured.profile(variant.name, { runs: 1, warmup: 0 });
        leastMs = Math.min(leastMs, minMs);
        spentMs += minMs;
      }
      return leastMs;
    },
    async infer(frame, run) {
      if (engine === null || current === null) {
        throw codedError('MND_INFERENCE_CLOSED', {
          next: 'frames are skipped until it has been started again',
        });
      }
      const result = await engine.run(next(current).name, frame, run);
      restartDelay = FIRST_RESTART_MS;
      return result;
    },
    async close() {
      closed = true;
      cancelRestart?.();
      await engine?.close();
      engine = null;
    },
  };
}

function startTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
