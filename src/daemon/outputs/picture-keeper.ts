import sharp from 'sharp';
import { encodeJpeg } from '../../camera/pixels/jpeg.js';
import type { Frame } from '../../camera/source.js';
import { messageOf } from '../../errors.js';
import type { Result } from '../../inference/result.js';
import type { RepeatingLog } from '../../log.js';
import type { PresenceEvent } from '../../presence/event.js';
import type { PictureNote, PictureShelf } from '../../store/picture-shelf.js';
import type { Clock } from '../../time.js';
import type { Context, PictureFigures } from '../context.js';
import { copyOf, pictureOf } from '../pictures.js';
import type { Sighting } from '../sightings.js';
import { drawing } from './picture-drawing.js';

/** A frame with a score better by this takes the place of an earlier one, and not more often than this. */
const BETTER_BY = 0.02;
const BETTER_MS = 5000;
/** Frames that may wait for being coded; of more only the events are kept. */
const MAX_WAITING = 8;
/** Events of which is known when they had their last picture. */
const MAX_REMEMBERED = 1000;

export interface PictureKeeperOptions {
  readonly clock: Clock;
  /** Null: pictures are shown, but not kept. */
  readonly shelf: PictureShelf | null;
  readonly settings: Pick<Context['config']['store']['pictures'], 'quality' | 'width' | 'draw'>;
  /** Told of each picture when it is on the shelf, or, where that fails, of the first of an event. */
  readonly onPicture: (event: PresenceEvent, jpeg: Uint8Array, frame: Frame) => void;
  /** Told of each event that was wanted and gets none. */
  readonly onNone: (event: PresenceEvent) => void;
  readonly repeating: RepeatingLog;
}

interface Wanted {
  readonly camera: string;
  readonly sequence: number;
  readonly events: readonly PresenceEvent[];
}

/** Makes a picture of each event of the frame that caused it, codes it and writes it, one at a time. */
export class PictureKeeper {
  readonly #options: PictureKeeperOptions;
  /** Of the frame that has just been labelled: `events` are told before `labelled`. */
  #wanted: Wanted | null = null;
  /** When a picture of an event was taken last, monotonic ms, and with which score. */
  readonly #taken = new Map<string, { readonly at: number; readonly score: number }>();
  /** Counts how often a camera was built anew: a frame of before may show what is masked now. */
  readonly #generations = new Map<string, number>();
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  readonly #figures = { written: 0, left_out: 0, failed: 0 };

  constructor(options: PictureKeeperOptions) {
    this.#options = options;
  }

  /** Whether the frame that causes this event now gives it a picture. */
  isWanted({ id, type, score }: PresenceEvent): boolean {
    if (type === 'end') return false;
    const { shelf } = this.#options;
    const last = this.#taken.get(id);
    if (last === undefined) return type === 'new' || shelf?.has(id) === false;
    const isBetter = score >= last.score + BETTER_BY;
    return shelf !== null && isBetter && this.#options.clock.now() - last.at >= BETTER_MS;
  }

  figures(): PictureFigures {
    const bytes = this.#options.shelf?.written ?? 0;
    return { ...this.#figures, written_mb: Math.round(bytes / 1e5) / 10 };
  }

  /** @param sightings what the result says of the objects of events */
  want(
    events: readonly PresenceEvent[],
    { camera, sequence }: Result,
    sightings: ReadonlyMap<string, Sighting>,
  ): void {
    this.#giveUp();
    const wanted: PresenceEvent[] = [];
    for (const event of events) {
      if (!this.isWanted(event)) continue;
      const shown = this.#shownIn(event, sightings.get(event.id));
      if (shown === null) this.#options.onNone(event);
      else wanted.push(shown);
    }
    if (wanted.length > 0) this.#wanted = { camera, sequence, events: wanted };
  }

  /**
   * The event as the frame shows it: what it has of its object may be of a better moment, a second ago. Null: the
   * frame does not show it, or not better than its picture.
   */
  #shownIn(event: PresenceEvent, sighting: Sighting | undefined): PresenceEvent | null {
    if (event.object === null) return event;
    // The first one is what there is.
    if (sighting === undefined) return event.type === 'new' ? event : null;
    const last = this.#taken.get(event.id);
    if (last !== undefined && sighting.score < last.score + BETTER_BY) return null;
    return { ...event, score: sighting.score, box: sighting.box };
  }

  /** The frame's bytes are only valid now. */
  take(frame: Frame): void {
    const wanted = this.#wanted;
    if (wanted === null || wanted.camera !== frame.camera) return;
    if (wanted.sequence !== frame.sequence) {
      this.#giveUp();
      return;
    }
    if (this.#waiting >= MAX_WAITING) {
      this.#options.repeating.warn(
        'busy',
        'pictures of events are left out: the disk or the CPU is busy',
      );
      this.#figures.left_out += wanted.events.length;
      this.#giveUp();
      return;
    }
    this.#wanted = null;
    for (const event of wanted.events) this.#remember(event);
    const copy = copyOf(frame);
    const generation = this.#generationOf(frame.camera);
    this.#waiting += 1;
    this.#work = this.#work
      .then(() => this.#make(copy, wanted.events, generation))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  /** The camera may show something else from now on, or nothing. */
  changed(camera: string): void {
    this.#generations.set(camera, this.#generationOf(camera) + 1);
  }

  /** Resolves when what was begun is done. */
  finish(): Promise<void> {
    this.#giveUp();
    return this.#work;
  }

  #giveUp(): void {
    for (const event of this.#wanted?.events ?? []) this.#options.onNone(event);
    this.#wanted = null;
  }

  #remember({ id, score }: PresenceEvent): void {
    this.#taken.delete(id);
    this.#taken.set(id, { at: this.#options.clock.now(), score });
    const [oldest] = this.#taken.keys();
    if (this.#taken.size > MAX_REMEMBERED && oldest !== undefined) this.#taken.delete(oldest);
  }

  #generationOf(camera: string): number {
    return this.#generations.get(camera) ?? 0;
  }

  async #make(frame: Frame, events: readonly PresenceEvent[], generation: number): Promise<void> {
    const pictures = this.#jpegsOf(frame);
    for (const event of events) {
      try {
        const jpeg = await pictures(event);
        const isKept = await this.#keep(event, jpeg, frame);
        const isCurrent = generation === this.#generationOf(frame.camera);
        // A better picture that is not kept would be one that nobody finds.
        if (isCurrent && (isKept || event.type === 'new'))
          this.#options.onPicture(event, jpeg, frame);
        else this.#options.onNone(event);
      } catch (error) {
        this.#failed(error);
        this.#options.onNone(event);
      }
    }
  }

  /** The picture of each event of a frame: one for all where nothing is drawn into it. */
  #jpegsOf(frame: Frame): (event: PresenceEvent) => Promise<Uint8Array> {
    const { shelf, settings } = this.#options;
    const { quality, width, draw } = settings;
    const small =
      shelf === null
        ? pictureOf(frame)
        : pictureOf(frame).resize({ width, withoutEnlargement: true });
    if (!draw) {
      const jpeg = encodeJpeg(small, quality);
      return () => jpeg;
    }
    const plain = small.png({ compressionLevel: 0 }).toBuffer({ resolveWithObject: true });
    return async (event) => {
      const { data, info } = await plain;
      const input = drawing(noteOf(event, frame), info);
      return encodeJpeg(sharp(data).composite([{ input }]), quality);
    };
  }

  async #keep(event: PresenceEvent, jpeg: Uint8Array, frame: Frame): Promise<boolean> {
    const { shelf } = this.#options;
    if (shelf === null) return false;
    try {
      await shelf.write(event.id, jpeg, noteOf(event, frame));
      this.#figures.written += 1;
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    this.#figures.failed += 1;
    this.#options.repeating.warn(
      'write',
      `a picture of an event was not kept: ${messageOf(error)}`,
    );
  }
}

function noteOf({ label, score, box }: PresenceEvent, frame: Frame): PictureNote {
  const { time, width, height } = frame;
  return { label, score, box, time, width, height };
}
