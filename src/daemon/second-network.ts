import {
  describeUnknownLabel,
  type UnknownLabel,
  unknownSubLabels,
} from '../config/check/labels.js';
import type { Config } from '../config/config.js';
import { messageOf } from '../errors.js';
import { createRepeatingLog, type Log } from '../log.js';
import type { Variant } from '../models/variant.js';
import type { Head } from '../teach/head.js';
import type { Clock } from '../time.js';
import type { SecondLoad } from './governor/inputs.js';
import { MixedEngine } from './line/mixed-engine.js';
import type { RecordedCamera, Recorder } from './line/recorder.js';
import type { StageCounts, StageRules } from './line/second/stage.js';
import { SecondStage } from './line/second/stage.js';
import { secondEngine } from './options/engine.js';
import { knownLabelsOf } from './options/label-rules.js';
import type { SecondModel } from './second-model.js';
import { warnOfSecond } from './second-model.js';
import type { Signals } from './signals.js';

export interface SecondNetworkOptions {
  readonly model: SecondModel;
  readonly config: Config;
  readonly recorder: Recorder;
  readonly cameraOf: (name: string) => RecordedCamera | undefined;
  /** What was taught of objects; `of` are the labels of all of them. */
  readonly taught: {
    readonly of: readonly string[];
    headsFor(camera: string, labels: readonly string[], variant: string): readonly Head[];
    /** Called when the network works: heads can be made for it from now on. */
    onStarted(): void;
  };
  /** See {@link SecondStageOptions.budget}. */
  readonly budget: () => number | null;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the second network fares. */
export interface SecondReport extends Omit<StageCounts, 'busyMs'> {
  readonly name: string;
  /** `loading` while it is fetched or opened. */
  readonly state: 'loading' | 'works' | 'fails';
}

/**
 * The classifier of `model.second` at work: fetched and opened in the background, in a worker thread of its
 * own, while the detector already labels frames. What fails here harms nothing else.
 */
export class SecondNetwork {
  readonly #options: SecondNetworkOptions;
  readonly #stopping = new AbortController();
  readonly #started: Promise<void>;
  #running: { readonly stage: SecondStage; readonly variant: Variant } | null = null;
  #close: () => Promise<void> = async () => {};
  #error: string | null = null;

  constructor(options: SecondNetworkOptions) {
    this.#options = options;
    this.#started = this.#start().catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return;
      this.#error = messageOf(error);
      options.log.error(
        { err: error },
        `model.second ${options.model.name}: not started: ${messageOf(error)}`,
      );
    });
  }

  /** Resolves when it works, or never will. */
  get started(): Promise<void> {
    return this.#started;
  }

  load(): SecondLoad {
    const { runs = 0, busyMs = 0 } = this.#running?.stage.counts() ?? {};
    return { runs, busyMs, variant: this.#running?.variant ?? null };
  }

  report(): SecondReport {
    const { model } = this.#options;
    if (this.#running === null) {
      const state = this.#error === null ? 'loading' : 'fails';
      return { ...NOTHING_DONE, name: model.name, state, error: this.#error };
    }
    const { stage, variant } = this.#running;
    const { busyMs: _busyMs, ...counts } = stage.counts();
    return { name: variant.name, state: counts.error === null ? 'works' : 'fails', ...counts };
  }

  /** Ends it: what it works on is finished, and nothing more is told. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#started;
    await this.#close();
  }

  async #start(): Promise<void> {
    const { model, config, signals, clock, log, ...rest } = this.#options;
    const { signal } = this.#stopping;
    const variant = await model.ready(signal, (why) => warnOfSecond(log, model.name, why));
    for (const unknown of unknownOf(config, variant))
      log.warn({}, `${describeUnknownLabel(unknown)}, ${variant.name}: it is never told`);
    const repeating = createRepeatingLog(log, { clock });
    const engine = new MixedEngine({
      start: secondEngine,
      onFault: (err) => repeating.error('engine', `second network: ${err.message}`, { err }),
    });
    this.#close = () => engine.close();
    await engine.open(variant);
    const { taught } = rest;
    // A network that gives none is said by whoever makes the heads.
    if (taught.of.length > 0) await engine.setEmbedding(true).catch(() => {});
    const stage = new SecondStage({
      rules: rulesOf(config, taught.of),
      taught: (camera, labels) => taught.headsFor(camera, labels, variant.name),
      variant,
      infer: (frame, run) => engine.infer(frame, run),
      cameraOf: rest.cameraOf,
      onNamed: (camera, eventId, sub) => rest.recorder.name(camera, eventId, sub),
      budget: rest.budget,
      clock,
      log,
    });
    this.#running = { stage, variant };
    const end = signals.on('labelled', ({ result, frame }) => stage.look(result, frame));
    this.#close = async () => {
      end();
      await stage.close();
      await engine.close();
    };
    log.info({ model: variant.name }, `second network: ${variant.name} looks at objects`);
    taught.onStarted();
  }
}

const NOTHING_DONE = { runs: 0, named: 0, failed: 0, held: 0, medianMs: null } as const;

function unknownOf(config: Config, variant: Variant): readonly UnknownLabel[] {
  return unknownSubLabels(config, knownLabelsOf(variant));
}

/** @param taught labels of objects of which something was taught */
function rulesOf({ model }: Config, taught: readonly string[]): StageRules {
  const { name, of: wanted, labels, min_size, min_score } = model.second;
  // A network that only stands in for one that nobody configured says nothing of its own.
  const own = name === null ? [] : labels;
  return {
    of: new Set([...wanted, ...taught]),
    labels: own === 'all' ? null : new Set(own),
    minSize: min_size,
    minScore: min_score,
  };
}
