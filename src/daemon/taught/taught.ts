import type { Config } from '../../config/config.js';
import { codedError, messageOf } from '../../errors.js';
import { createRepeatingLog, type RepeatingLog } from '../../log.js';
import type { Variant } from '../../models/variant.js';
import { Embedder } from '../../taught/embedder.js';
import { Intake } from '../../taught/intake.js';
import { shippedNegatives } from '../../taught/negatives.js';
import { CropShelf, type Removed } from '../../taught/shelf.js';
import { type TaughtTask, taskName } from '../../taught/task.js';
import type { TaskCounts } from '../../taught/tasks.js';
import type { Head } from '../../teach/head.js';
import type { Clock } from '../../time.js';
import type { Log } from '../diagnostics/log.js';
import type { MixedEngine } from '../line/mixed-engine.js';
import type { Looking } from '../line/taught/stage.js';
import { secondEngine } from '../options/engine.js';
import type { TaughtLabel } from '../options/taught-labels.js';
import { cropBoundsOf } from '../options/teach.js';
import type { Signals } from '../signals.js';
import { LiveHeads } from './live-heads.js';
import { lookingIn, objectHeads } from './looking.js';
import { partOf } from './parts-of-frames.js';
import { type RecordOrder, taskToRecord } from './record-order.js';
import type { RecordingState } from './recording.js';
import { exchanged, Recordings } from './recordings.js';
import { ShelfReading } from './shelf-reading.js';
import { sortLabels, type UnusableLabel } from './usable.js';
import { Worth } from './worth.js';

/** What of the daemon it uses; asked anew every time, for parts are exchanged by a reload. */
export interface TaughtSurroundings {
  readonly config: Config;
  readonly model: {
    readonly variant: Variant;
    readonly ladder: { readonly variants: readonly Variant[] };
  };
  readonly engine: Pick<MixedEngine, 'mix' | 'setEmbedding'>;
  readonly governor: { requalify(): Promise<void> };
  readonly cameras: { list(): readonly { readonly name: string }[] };
  readonly second: { readonly network: { load(): { readonly variant: Variant | null } } | null };
  readonly daemon: { phase(): string; refreshLabels(): Promise<void> };
  readonly signals: Signals;
  readonly clock: Clock;
  readonly log: Log;
}

interface Opened {
  readonly shelf: CropShelf;
  readonly reading: ShelfReading;
  readonly embedder: Embedder;
  readonly heads: LiveHeads;
  readonly recordings: Recordings;
}

/**
 * What was taught on this board, at work: its labels, the heads that tell them, and how more is taught while
 * the daemon runs.
 */
export class Taught {
  readonly #using: TaughtSurroundings;
  readonly #opened: Opened;
  #isClosed = false;
  #labels: readonly TaughtLabel[] = [];
  #unusable: readonly UnusableLabel[] = [];
  readonly #looking = new Map<string, readonly Looking[]>();
  readonly #repeating: RepeatingLog;
  readonly #stopListening: readonly (() => void)[];

  private constructor(using: TaughtSurroundings, config: Config) {
    this.#using = using;
    const { signals, clock } = using;
    const log = using.log.child({ part: 'taught' });
    this.#repeating = createRepeatingLog(log, { clock });
    const shelf = new CropShelf(config.state_dir, cropBoundsOf(config));
    const reading = new ShelfReading({
      shelf,
      onFault: this.#warn,
      onRetry: () => void this.look().catch(this.#warn),
      clock,
    });
    const embedder = new Embedder({
      start: () => secondEngine((error) => log.warn({ err: error }, `taught: ${error.message}`)),
      clock,
    });
    const heads = new LiveHeads({
      shelf,
      embedder,
      log,
      negatives: shippedNegatives,
      variantsFor: (task) => this.#variantsFor(task),
      onReady: () => this.#onReady(),
    });
    const recordings = new Recordings(signals, clock, () => void this.look().catch(this.#warn));
    this.#opened = { shelf, reading, embedder, heads, recordings };
    this.#stopListening = [
      signals.on('cameras', () => this.#looking.clear()),
      signals.on('running', () => this.remake()),
      signals.on('model', () => this.remake()),
    ];
  }

  /** Finds out what was taught. A disk that fails is said, and nothing is taught then. */
  static async open(using: TaughtSurroundings, config: Config): Promise<Taught> {
    const taught = new Taught(using, config);
    await taught.#opened.shelf.tidy(using.clock.wall()).catch(taught.#warn);
    await taught.#read(config);
    if (using.daemon.phase() === 'running') taught.remake();
    return taught;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stopListening) stop();
    this.#labels = [];
    this.#looking.clear();
    const { reading, recordings, heads, embedder } = this.#opened;
    reading.close();
    await recordings.stop();
    await heads.stop();
    await embedder.close();
  }

  /** Labels that are told, each once a task. */
  labels(): readonly TaughtLabel[] {
    return this.#labels;
  }

  /** Labels that were taught and cannot be told here, and why. */
  unusable(): readonly UnusableLabel[] {
    return this.#unusable;
  }

  tasks(): readonly TaskCounts[] {
    return this.#using.config.teach.enabled ? this.#opened.reading.tasks() : [];
  }

  /** Why the pictures cannot be read now; null while they can. */
  fault(): string | null {
    return this.#opened.reading.fault();
  }

  heads(): LiveHeads {
    return this.#opened.heads;
  }

  recordings(): readonly RecordingState[] {
    return this.#opened.recordings.list();
  }

  /** What is looked for in the frames of a camera. */
  lookingOf(camera: string): readonly Looking[] {
    const known = this.#looking.get(camera);
    if (known !== undefined) return known;
    const looking = lookingIn(camera, this.#told(), this.#using.config);
    this.#looking.set(camera, looking);
    return looking;
  }

  /** Labels of the objects that something was taught of. */
  objectLabels(): readonly string[] {
    return [...new Set(this.#labels.flatMap(({ task }) => task.of ?? []))];
  }

  /** Heads that tell objects of these labels apart in front of a camera, for a variant. */
  headsFor(camera: string, labels: readonly string[], variant: string): readonly Head[] {
    return objectHeads(camera, this.#told(), labels, variant);
  }

  /** What a variant is worth for what was taught, percent; null: nothing is known. */
  qualityOf({ name }: Variant): number | null {
    const quality = this.#opened.heads.qualityOf(name);
    return quality === null ? null : 100 * quality;
  }

  /** Makes heads for the networks and pictures that there are now, in the background. */
  remake(): void {
    if (this.#isClosed) return;
    const { heads } = this.#opened;
    const usable = new Set(this.#labels.map(({ task }) => taskName(task)));
    heads.make(this.tasks().filter(({ task }) => usable.has(taskName(task))));
    this.#looking.clear();
    if (this.#labels.some(({ task }) => task.of === null)) return;
    this.#want(false);
    this.#requalify();
  }

  /** Takes up what was taught meanwhile, by whomever. @throws MND_TEACH_DISK, what applying labels throws */
  async look(): Promise<void> {
    const { config, daemon } = this.#using;
    const before = JSON.stringify(this.#labels);
    await this.#read(config);
    this.remake();
    if (before !== JSON.stringify(this.#labels)) await daemon.refreshLabels();
  }

  /**
   * Begins to record what a camera sees.
   *
   * @throws MND_TEACH_INVALID, MND_INPUT_MISSING (no such camera), MND_TEACH_BUSY, what embedding throws
   */
  async record(order: RecordOrder): Promise<RecordingState> {
    const { config, clock } = this.#using;
    const { label, camera, seconds } = order;
    const { shelf, embedder, recordings } = this.#required();
    const task = taskToRecord(order, this.#using, [...this.#labels, ...this.#unusable]);
    recordings.checkRoom();
    const [variant = this.#using.model.variant] = this.#variantsFor(task);
    const wall = () => clock.wall();
    const intake = await Intake.open({ shelf, embedder, variant, task, label, now: wall });
    const now = () => clock.now();
    const worth = new Worth(label, intake, () => shippedNegatives(variant), now);
    return recordings.begin({
      camera,
      intake,
      worth,
      part: partOf(task, config, variant),
      until: now() + 1000 * seconds,
      now,
    });
  }

  /** How a recording is; with `end` it ends, and this resolves when all of it is on the disk. */
  async recording(id: string, end: boolean): Promise<RecordingState> {
    return this.#required().recordings.state(id, end);
  }

  /** Takes the last batch back. */
  async undo(): Promise<Removed> {
    return this.#removed(() => this.#required().shelf.undo());
  }

  /** Forgets a label, or (null) what a task is not. @throws MND_INPUT_MISSING, MND_TEACH_DISK */
  async forget(label: string | null, task: TaughtTask | null): Promise<Removed> {
    return this.#removed(() => this.#required().shelf.forget(label, task));
  }

  /** What is there is looked at anew, whether or not the removal worked. */
  async #removed(remove: () => Promise<Removed>): Promise<Removed> {
    const removed = await remove().catch(async (error: unknown) => {
      await this.look().catch(this.#warn);
      throw error;
    });
    await this.look();
    return removed;
  }

  /** @throws MND_TEACH_INVALID while teaching is switched off, MND_TEACH_BUSY when a reload has closed it */
  #required(): Opened {
    if (this.#isClosed) throw exchanged();
    if (this.#using.config.teach.enabled) return this.#opened;
    throw codedError('MND_TEACH_INVALID', {
      expected: 'a daemon that looks for what was taught',
      found: 'teach.enabled: false',
      next: 'set teach.enabled: true in the configuration',
    });
  }

  async #read(config: Config): Promise<void> {
    if (config.teach.enabled) await this.#opened.reading.read();
    const tasks = config.teach.enabled ? this.#opened.reading.tasks() : [];
    const { usable, unusable } = sortLabels(tasks, config, this.#using.model.variant);
    this.#labels = usable;
    this.#unusable = unusable;
    for (const { label, why } of this.#unusable) {
      this.#repeating.warn(label, `taught: ${JSON.stringify(label)} is never told: ${why}`);
    }
    this.#looking.clear();
  }

  readonly #warn = (error: unknown): [] => {
    const text = `taught: ${messageOf(error)}`;
    this.#repeating.warn(text, text);
    return [];
  };

  /** A whole set of heads is in its place: it is looked for from now on. */
  #onReady(): void {
    if (this.#isClosed) return;
    this.#looking.clear();
    if (this.#labels.some(({ task }) => task.of === null)) this.#want(true);
    this.#requalify();
  }

  /** The governor orders its rungs by what they are worth; before it runs it asks by itself. */
  #requalify(): void {
    if (this.#using.daemon.phase() !== 'running') return;
    void this.#using.governor.requalify().catch(this.#warn);
  }

  /** Whether the network is to give embeddings. */
  #want(wanted: boolean): void {
    this.#using.engine.setEmbedding(wanted).catch(this.#warn);
  }

  #variantsFor({ of }: TaughtTask): readonly Variant[] {
    const { model, engine, second } = this.#using;
    const own = second.network?.load().variant ?? null;
    if (of !== null) return [own ?? model.variant];
    const mix = engine.mix();
    const first = [mix?.high.name, mix?.low.name];
    const place = ({ name }: Variant) => (first.includes(name) ? 0 : 1);
    return [...model.ladder.variants].sort((a, b) => place(a) - place(b));
  }

  #told() {
    return { labels: this.#labels, heads: this.#opened.heads };
  }
}
