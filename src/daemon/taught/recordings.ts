import { randomUUID } from 'node:crypto';
import { codedError } from '../../errors.js';
import { type Clock, every } from '../../time.js';
import type { Signals } from '../signals.js';
import { Recording, type RecordingOptions, type RecordingState } from './recording.js';

/** Recordings at a time, and those that are over but can still be asked of. */
const MOST_OPEN = 4;
const MOST_KEPT = 16;
const TICK_MS = 250;

/** All recordings of this daemon: each ends by itself, whoever began it. */
export class Recordings {
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #onEnd: (state: RecordingState) => void;
  readonly #all = new Map<string, Recording>();
  readonly #ending = new Map<string, Promise<RecordingState>>();
  #stopListening: (() => void) | null = null;
  #stopTicking: (() => void) | null = null;
  #isStopped = false;

  /** @param onEnd told of each that has kept something or taken it back, when it is on the disk */
  constructor(signals: Signals, clock: Clock, onEnd: (state: RecordingState) => void) {
    this.#signals = signals;
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** @throws MND_TEACH_BUSY while there are too many, and when a reload has put others in the place of these */
  checkRoom(): void {
    if (this.#isStopped) throw exchanged();
    const open = [...this.#all.values()].filter((each) => !each.isOver());
    if (open.length < MOST_OPEN) return;
    throw codedError('MND_TEACH_BUSY', {
      expected: `at most ${MOST_OPEN} recordings at a time`,
      next: 'wait until one of them ends',
    });
  }

  begin(options: RecordingOptions): RecordingState {
    this.checkRoom();
    const recording = new Recording(randomUUID().slice(0, 8), options);
    this.#all.set(recording.id, recording);
    const over = [...this.#all.values()].filter((each) => each.isOver());
    for (const { id } of over.slice(0, Math.max(0, this.#all.size - MOST_KEPT)))
      this.#all.delete(id);
    this.#listen();
    return recording.state();
  }

  /** @throws MND_INPUT_MISSING where there is none of that id */
  async state(id: string, end: boolean): Promise<RecordingState> {
    const recording = this.#all.get(id);
    if (recording === undefined) {
      throw codedError('MND_INPUT_MISSING', {
        subject: `recording ${JSON.stringify(id.slice(0, 40))}`,
        expected: 'one that was begun lately',
        next: 'a restart or a reload ends recordings; what was taken until then is kept',
      });
    }
    return end ? this.#end(recording) : recording.state();
  }

  /** Those that are at work, and the last one that was. */
  list(): readonly RecordingState[] {
    return [...this.#all.values()].map((recording) => recording.state());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#rest();
    await Promise.all([...this.#all.values()].map((recording) => recording.end()));
  }

  #listen(): void {
    this.#stopListening ??= this.#signals.on('labelled', ({ result, frame }) => {
      for (const recording of this.#all.values()) recording.look(result, frame);
    });
    this.#stopTicking ??= every(this.#clock, TICK_MS, () => this.#tick());
  }

  #tick(): void {
    const all = [...this.#all.values()];
    for (const recording of all) {
      const isDue = recording.isOver() || recording.state().left_s <= 0;
      if (isDue) void this.#end(recording);
    }
    if (all.every((recording) => recording.isOver())) this.#rest();
  }

  #end(recording: Recording): Promise<RecordingState> {
    const known = this.#ending.get(recording.id);
    if (known !== undefined) return known;
    const ending = recording.end().then((state) => {
      if (state.kept > 0 || state.state === 'failed') this.#onEnd(state);
      return state;
    });
    this.#ending.set(recording.id, ending);
    for (const id of this.#ending.keys()) if (!this.#all.has(id)) this.#ending.delete(id);
    return ending;
  }

  #rest(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    this.#stopTicking?.();
    this.#stopTicking = null;
  }
}

/** Whoever asks again asks those that have come since. */
export function exchanged(): Error {
  return codedError('MND_TEACH_BUSY', {
    expected: 'a daemon whose configuration is not being changed',
    next: 'try again in a moment',
  });
}
