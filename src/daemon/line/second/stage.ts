import type { Frame } from '../../../camera/source.js';
import { messageOf } from '../../../errors.js';
import type { RunOptions } from '../../../inference/engine.js';
import { median } from '../../../inference/median.js';
import type { Result } from '../../../inference/result.js';
import { createRepeatingLog, type Log, type RepeatingLog } from '../../../log.js';
import type { Variant } from '../../../models/variant.js';
import type { SubLabel } from '../../../presence/presence.js';
import { BACKGROUND } from '../../../presence/settings.js';
import type { Head } from '../../../teach/head.js';
import { type Clock, createBackoff, systemClock } from '../../../time.js';
import { keepLabels } from '../labels.js';
import type { RecordedCamera } from '../recorder.js';
import { bestOfEach, judge, SURE } from '../taught/judge.js';
import { Allowance } from './allowance.js';
import { type Candidate, Candidates, type SecondRules } from './candidates.js';
import { cropAround } from './crop.js';

/** What the second network of a configuration looks at, and what of its answers counts. */
export interface StageRules extends SecondRules {
  /** Labels that count; null: all but the background. */
  readonly labels: ReadonlySet<string> | null;
  /** Least score that is told, 0 to 1. */
  readonly minScore: number;
}

export interface SecondStageOptions {
  readonly rules: StageRules;
  readonly variant: Variant;
  readonly infer: (frame: Frame, run: RunOptions) => Promise<Result>;
  /** Undefined: it is not there any more. */
  readonly cameraOf: (name: string) => RecordedCamera | undefined;
  /** Heads that tell objects of these labels in front of a camera, by what was taught; default: none. */
  readonly taught?: (camera: string, labels: readonly string[]) => readonly Head[];
  /** Tells what an object was named; false: its event has ended, or that is no news. */
  readonly onNamed: (camera: RecordedCamera, eventId: string, sub: SubLabel) => boolean;
  /** Fraction of each second that the governor leaves to inference; null: nothing while it is too hot. */
  readonly budget: () => number | null;
  readonly log: Log;
  readonly clock?: Clock;
}

/** What the second network has done since it was started. */
export interface StageCounts {
  readonly runs: number;
  /** Wall time of all runs, ms. */
  readonly busyMs: number;
  /** Objects that were given a name or a surer one. */
  readonly named: number;
  readonly failed: number;
  /** Frames whose objects had to wait for the governor's budget. */
  readonly held: number;
  /** Median of the last runs, ms; null before the first. */
  readonly medianMs: number | null;
  /** Why it does not work; null while it does. */
  readonly error: string | null;
}

/** Objects of one frame that are looked at, one after the other. */
const MOST_A_FRAME = 8;
/** Of a classifier whose every label counts but its background; two may have one name. */
const FEW_LABELS = 3;
/** Runs that the median is of. */
const REMEMBERED = 15;

/**
 * Shows the crops of detected objects to a classifier. It has a thread of its own and one frame at a time,
 * copied: the way of frames never waits for it, and what comes while it works is looked at later, if it
 * is still there. Nothing waits in a queue.
 */
export class SecondStage {
  readonly #options: SecondStageOptions;
  readonly #clock: Clock;
  readonly #repeating: RepeatingLog;
  readonly #allowance = new Allowance();
  readonly #backoff = createBackoff();
  readonly #known = new WeakMap<object, Candidates>();
  readonly #counts = { runs: 0, busyMs: 0, named: 0, failed: 0, held: 0 };
  #rules: StageRules;
  #times: number[] = [];
  #memory = new SharedArrayBuffer(0);
  #working: Promise<void> | null = null;
  #pausedUntil = 0;
  #error: string | null = null;
  #closed = false;

  constructor(options: SecondStageOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#clock = options.clock ?? systemClock;
    this.#repeating = createRepeatingLog(options.log, { clock: this.#clock });
  }

  /** Looks at what is new in a frame, later; its bytes are only used until this returns. */
  look(result: Result, frame: Frame): void {
    const now = this.#clock.now();
    if (this.#closed || this.#working !== null || now < this.#pausedUntil) return;
    const camera = this.#options.cameraOf(result.camera);
    if (camera === undefined) return;
    const known = this.#candidatesOf(camera);
    const wanted = known.of(camera.presence.objects(), result, this.#rules);
    if (wanted.length === 0) return;
    if (!this.#mayRun()) {
      this.#counts.held += 1;
      return;
    }
    const copy = { ...frame, bytes: this.#copy(frame.bytes) };
    const size = result.picture ?? [frame.width, frame.height];
    this.#working = this.#lookAt(camera, copy, wanted.slice(0, MOST_A_FRAME), size).finally(() => {
      this.#working = null;
    });
  }

  /** Judges by other rules from now on. */
  configure(rules: StageRules): void {
    this.#rules = rules;
  }

  counts(): StageCounts {
    const medianMs = this.#times.length === 0 ? null : median(this.#times);
    return { ...this.#counts, medianMs, error: this.#error };
  }

  /** Resolves when what it works on is done; takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }

  /** Resolves when nothing is being looked at. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #lookAt(
    camera: RecordedCamera,
    frame: Frame,
    wanted: readonly Candidate[],
    size: readonly [number, number],
  ): Promise<void> {
    for (const [index, candidate] of wanted.entries()) {
      if (this.#closed || (index > 0 && !this.#mayRun())) return;
      try {
        await this.#run(camera, frame, candidate, size);
        this.#error = null;
        this.#backoff.reset();
      } catch (error) {
        this.#fail(error);
        return;
      }
    }
  }

  async #run(
    camera: RecordedCamera,
    frame: Frame,
    candidate: Candidate,
    size: readonly [number, number],
  ): Promise<void> {
    const { infer, variant, onNamed, cameraOf, taught = noHeads } = this.#options;
    const heads = taught(camera.name, candidate.labels);
    const started = this.#clock.now();
    const { labels, embedding } = await infer(frame, {
      ...(heads.length > 0 && { embedding: true }),
      topK: this.#rules.labels === null ? FEW_LABELS : variant.labels.length,
      threshold: 0,
      crop: cropAround(candidate.box, size, variant.preprocessing.centralCrop),
      cropOf: size,
    });
    const ms = this.#clock.now() - started;
    this.#counts.runs += 1;
    this.#counts.busyMs += ms;
    this.#times = [...this.#times.slice(1 - REMEMBERED), ms];
    this.#allowance.spend(ms);
    this.#candidatesOf(camera).looked(candidate);
    // Of what something was taught of, what was taught alone is told.
    const best = heads.length > 0 ? bestTaught(heads, embedding) : this.#bestOf(labels);
    if (best === null && heads.length > 0) this.#candidatesOf(camera).again(candidate);
    // One that was stopped or exchanged meanwhile has ended its events.
    if (best === null || this.#closed || cameraOf(camera.name) !== camera) return;
    const named = candidate.eventIds.filter((id) => onNamed(camera, id, best));
    if (named.length > 0) this.#counts.named += 1;
  }

  #bestOf(labels: Result['labels']): SubLabel | null {
    const { labels: counted, minScore } = this.#rules;
    const [best] = keepLabels(labels, counted).filter(
      ({ label }) => counted !== null || label !== BACKGROUND,
    );
    return best === undefined || best.score < minScore ? null : best;
  }

  #mayRun(): boolean {
    return this.#allowance.allows(this.#options.budget() ?? 0, this.#clock.now());
  }

  #fail(error: unknown): void {
    this.#counts.failed += 1;
    this.#error = messageOf(error);
    this.#pausedUntil = this.#clock.now() + this.#backoff.next();
    this.#repeating.warn('second', `the second network did not answer: ${messageOf(error)}`, {});
  }

  #candidatesOf(camera: RecordedCamera): Candidates {
    const known = this.#known.get(camera.presence) ?? new Candidates();
    this.#known.set(camera.presence, known);
    return known;
  }

  #copy(bytes: Uint8Array): Uint8Array {
    if (this.#memory.byteLength < bytes.length) this.#memory = new SharedArrayBuffer(bytes.length);
    const copy = new Uint8Array(this.#memory, 0, bytes.length);
    copy.set(bytes);
    return copy;
  }
}

function noHeads(): readonly Head[] {
  return [];
}

/** The surest taught label that reaches its head's threshold. */
function bestTaught(heads: readonly Head[], embedding: Float32Array | undefined): SubLabel | null {
  if (embedding === undefined) return null;
  const fitting = heads.filter(({ dimension }) => dimension === embedding.length);
  const [best] = bestOfEach(fitting.flatMap((head) => judge(head, embedding)));
  return best === undefined || best.score < SURE ? null : best;
}
