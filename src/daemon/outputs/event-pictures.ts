import sharp from 'sharp';
import type { Frame } from '../../camera/source.js';
import { parseSize } from '../../config/schema/formats.js';
import { messageOf } from '../../errors.js';
import type { Result } from '../../inference/result.js';
import { createRepeatingLog, type RepeatingLog } from '../../log.js';
import type { PresenceEvent } from '../../presence/event.js';
import { type PictureNote, PictureShelf } from '../../store/picture-shelf.js';
import type { Context } from '../context.js';
import { copyOf, pictureOf } from '../pictures.js';
import type { StopOutput } from './output.js';

const REPEAT_MS = 60_000;
const FIRST_SWEEP_MS = 60_000;
const SWEEP_MS = 600_000;
/** A clearly better frame takes the place of an earlier one, and not more often than this, ms. */
const BETTER_MS = 5000;
/** Frames that may wait for being coded; of more only the events are kept. */
const MAX_WAITING = 8;

type Using = Pick<Context, 'config' | 'signals' | 'store' | 'log' | 'eventPictures'>;
type PictureConfig = Context['config']['store']['pictures'];

interface Wanted {
  readonly event: PresenceEvent;
  readonly note: Pick<PictureNote, 'label' | 'score' | 'box'>;
}

/**
 * Keeps a picture of each event, of its best frame, in the state folder. It is coded and written off the
 * way of the frames: what the disk cannot take in time is left out, and counted.
 */
export function startEventPictures({
  config,
  signals,
  store,
  log,
  eventPictures,
}: Using): StopOutput {
  const { pictures } = config.store;
  if (!pictures.enabled) return () => {};
  const shelf = new PictureShelf(config.state_dir);
  const repeating = createRepeatingLog(log, { interval: REPEAT_MS });
  const keeper = new PictureKeeper(shelf, pictures, repeating);
  eventPictures.shelf = shelf;
  const bounds = { days: pictures.days, maxBytes: parseSize(pictures.max_size) };
  const sweep = () => {
    shelf
      .sweep(bounds, (id) => store.event(id) !== null, Date.now())
      .catch((error: unknown) =>
        repeating.warn('sweep', `pictures of events: ${messageOf(error)}`),
      );
  };
  const first = setTimeout(sweep, FIRST_SWEEP_MS).unref();
  const timer = setInterval(sweep, SWEEP_MS).unref();
  const stops = [
    signals.on('events', ({ events, result }) => {
      if (result !== null) keeper.want(events, result);
    }),
    signals.on('labelled', ({ frame }) => keeper.take(frame)),
  ];
  return async () => {
    for (const stop of stops) stop();
    clearTimeout(first);
    clearInterval(timer);
    eventPictures.shelf = null;
    await keeper.finish();
  };
}

/** Codes and writes one picture at a time. */
class PictureKeeper {
  readonly #shelf: PictureShelf;
  readonly #config: PictureConfig;
  readonly #repeating: RepeatingLog;
  /** Of the frame that has just been labelled: `events` are told before `labelled`. */
  #wanted: { readonly sequence: number; readonly camera: string; readonly of: Wanted[] } | null =
    null;
  /** When a picture of an event was taken last, monotonic ms. */
  readonly #takenAt = new Map<string, number>();
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(shelf: PictureShelf, config: PictureConfig, repeating: RepeatingLog) {
    this.#shelf = shelf;
    this.#config = config;
    this.#repeating = repeating;
  }

  want(events: readonly PresenceEvent[], { camera, sequence }: Result): void {
    const of = events.filter((event) => this.#isWanted(event)).map(wantedOf);
    if (of.length > 0) this.#wanted = { camera, sequence, of };
  }

  /** The frame's bytes are only valid now. */
  take(frame: Frame): void {
    const wanted = this.#wanted;
    if (wanted === null || wanted.camera !== frame.camera) return;
    this.#wanted = null;
    if (wanted.sequence !== frame.sequence) return;
    if (this.#waiting >= MAX_WAITING) {
      this.#repeating.warn('busy', 'pictures of events are left out: the disk or the CPU is busy');
      return;
    }
    for (const { event } of wanted.of) this.#remember(event);
    const copy = copyOf(frame);
    this.#waiting += 1;
    this.#work = this.#work
      .then(() => this.#keep(copy, wanted.of))
      .catch((error: unknown) =>
        this.#repeating.warn('write', `a picture of an event was not kept: ${messageOf(error)}`),
      )
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  finish(): Promise<void> {
    return this.#work;
  }

  #isWanted({ id, type }: PresenceEvent): boolean {
    if (type === 'end') {
      this.#takenAt.delete(id);
      return false;
    }
    const last = this.#takenAt.get(id);
    return last === undefined || performance.now() - last >= BETTER_MS;
  }

  #remember({ id }: PresenceEvent): void {
    this.#takenAt.set(id, performance.now());
    const [oldest] = this.#takenAt.keys();
    if (this.#takenAt.size > 1000 && oldest !== undefined) this.#takenAt.delete(oldest);
  }

  async #keep(frame: Frame, wanted: readonly Wanted[]): Promise<void> {
    const { quality, width, draw } = this.#config;
    const { data, info } = await pictureOf(frame)
      .resize({ width, withoutEnlargement: true })
      .png({ compressionLevel: 0 })
      .toBuffer({ resolveWithObject: true });
    for (const { event, note } of wanted) {
      const full: PictureNote = {
        ...note,
        time: frame.time,
        width: frame.width,
        height: frame.height,
      };
      const picture = sharp(data);
      const marked = draw ? picture.composite([{ input: drawing(full, info) }]) : picture;
      await this.#shelf.write(event.id, await marked.jpeg({ quality }).toBuffer(), full);
    }
  }
}

function wantedOf(event: PresenceEvent): Wanted {
  const { label, score, box } = event;
  return { event, note: { label, score, box } };
}

/** Box and name over a picture, as SVG. */
function drawing(note: PictureNote, { width, height }: { width: number; height: number }): Buffer {
  const scale = width / note.width;
  const [x, y, w, h] = (note.box ?? [0, 0, note.width, note.height]).map((side) => side * scale);
  const text = escaped(`${note.label} ${Math.round(100 * note.score)} %`);
  const size = Math.max(12, width / 36);
  const top = Math.max(size * 1.3, y ?? 0);
  const box =
    note.box === null
      ? ''
      : `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="#4fd1bb" stroke-width="3"/>`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${box}` +
      `<text x="${(x ?? 0) + 4}" y="${top - size * 0.3}" font-family="sans-serif" font-weight="bold" ` +
      `font-size="${size}" fill="#4fd1bb" stroke="#04201b" stroke-width="3" paint-order="stroke">${text}</text></svg>`,
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
