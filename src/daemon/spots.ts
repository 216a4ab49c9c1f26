import { codedError } from '../errors.js';
import type { Box } from '../inference/result.js';
import type { Log } from '../log.js';
import type { Presence } from '../presence/presence.js';
import type { Store } from '../store/store.js';
import type { Clock } from '../time.js';

/** A false alarm that is kept back, as it is stored and shown. */
export interface SuppressedSpot {
  readonly id: string;
  readonly camera: string;
  readonly label: string;
  /** Left, top, width, height in pixels of `size`, which the camera had then. */
  readonly box: Box;
  readonly size: readonly [width: number, height: number];
  /** The event that was wrong. */
  readonly event: string;
  /** ISO 8601. */
  readonly created: string;
  /** Objects that it has kept back, and when the last one was; null: none yet. */
  readonly held: number;
  readonly last: string | null;
}

/** What of the daemon it uses. */
export interface SpotSurroundings {
  readonly clock: Pick<Clock, 'wall'>;
  readonly store: Pick<Store, 'settings' | 'eventsLike'>;
  readonly cameras: {
    list(): readonly {
      readonly name: string;
      readonly presence: Pick<Presence, 'suppress' | 'held'>;
    }[];
  };
  readonly config: {
    readonly cameras: Readonly<Record<string, Pick<SuppressedSpot, 'size'>>>;
  };
  readonly log: Pick<Log, 'info'>;
}

/** An event that was wrong, a spot to forget, or neither. */
export interface Asked {
  readonly event: string | null;
  readonly undo: string | null;
}

const PREFIX = 'spot/';
/** More would be a camera that looks at the wrong thing. */
const MOST_SPOTS = 256;
/** Characters of an event's id that must be given. */
const LEAST_ID = 4;

/** What somebody has called wrong: remembered by label, place and size, in the settings of the store. */
export class SuppressedSpots {
  readonly #using: SpotSurroundings;

  /** @param using asked anew every time: its parts are exchanged by a reload */
  constructor(using: SpotSurroundings) {
    this.#using = using;
  }

  /** Oldest first. */
  list(): readonly SuppressedSpot[] {
    const found = [...this.#using.store.settings.all()].flatMap(([key, value]) =>
      key.startsWith(PREFIX) ? (parse(value) ?? []) : [],
    );
    return found.sort((a, b) => Number(a.id) - Number(b.id));
  }

  /**
   * Remembers the label, place and size of an event that was wrong.
   *
   * @param event its id, or the first characters of it that only one has
   * @throws MND_INPUT_MISSING where there is no such event; MND_SPOT_INVALID where nothing can be kept
   * back by it
   */
  wrong(event: string): SuppressedSpot {
    const { clock, store, config, log } = this.#using;
    const [found, other] = event.length < LEAST_ID ? [] : store.eventsLike(event, 2);
    if (found === undefined || other !== undefined) {
      throw codedError('MND_INPUT_MISSING', {
        subject: 'wrong',
        expected: 'the id of an event, or as much of it as only one has',
        found: JSON.stringify(event.slice(0, 60)),
        next: 'mobilenetd events lists them',
      });
    }
    const { camera, label, box } = found;
    const spots = this.list();
    const known = spots.find((spot) => spot.event === found.id);
    if (known !== undefined) return known;
    if (box === null) throw noPlace(label);
    if (spots.length >= MOST_SPOTS) {
      throw codedError('MND_SPOT_INVALID', {
        expected: `at most ${MOST_SPOTS} spots`,
        found: `${spots.length}`,
        next: 'mask that part of the picture, or undo some of them',
      });
    }
    const spot: SuppressedSpot = {
      id: String(1 + Math.max(0, ...spots.map(({ id }) => Number(id)))),
      ...{ camera, label, box, event: found.id, held: 0, last: null },
      size: config.cameras[camera]?.size ?? [0, 0],
      created: new Date(clock.wall()).toISOString(),
    };
    this.#write(spot.id, spot);
    log.info({ camera, spot: spot.id }, `${label} is kept back at one spot of ${camera}`);
    this.apply();
    return spot;
  }

  /** Does what is asked: the spot that was made or forgotten, or all of them. Throws as those do. */
  answer({ event, undo }: Asked): readonly SuppressedSpot[] {
    if (event !== null) return [this.wrong(event)];
    if (undo !== null) return [this.undo(undo)];
    this.count();
    return this.list();
  }

  /** Forgets a spot. @throws MND_INPUT_MISSING where there is none of that id */
  undo(id: string): SuppressedSpot {
    const spot = this.list().find((each) => each.id === id);
    if (spot === undefined) {
      throw codedError('MND_INPUT_MISSING', {
        subject: 'wrong',
        expected: 'the id of a spot',
        found: JSON.stringify(id.slice(0, 60)),
        next: 'mobilenetd wrong --list shows them',
      });
    }
    this.#write(id, null);
    this.#using.log.info(
      { camera: spot.camera, spot: id },
      `spot ${id} keeps nothing back any more`,
    );
    this.apply();
    return spot;
  }

  /** Tells the cameras what to keep back. */
  apply(): void {
    const { cameras, config } = this.#using;
    const spots = this.list();
    for (const camera of cameras.list()) {
      const size = config.cameras[camera.name]?.size;
      const own = spots.filter((spot) => spot.camera === camera.name);
      camera.presence.suppress(own.map((spot) => ({ ...spot, box: boxIn(spot, size) })));
    }
  }

  /** Counts what was kept back since the last time. */
  count(): void {
    const { clock, cameras } = this.#using;
    const held = new Map(cameras.list().flatMap(({ presence }) => [...presence.held()]));
    if (held.size === 0) return;
    const last = new Date(clock.wall()).toISOString();
    for (const spot of this.list()) {
      const more = held.get(spot.id);
      if (more !== undefined) this.#write(spot.id, { ...spot, held: spot.held + more, last });
    }
  }

  #write(id: string, spot: SuppressedSpot | null): void {
    const value = spot === null ? null : JSON.stringify(spot);
    if (this.#using.store.settings.set(`${PREFIX}${id}`, value)) return;
    throw codedError('MND_STORE_FAILED', {
      subject: 'wrong',
      found: 'the disk refuses it',
      next: 'mobilenetd status says why',
    });
  }
}

/** The spot's box in pixels of another size of the camera. */
function boxIn({ box, size }: SuppressedSpot, now: SuppressedSpot['size'] | undefined): Box {
  if (now === undefined || size[0] === 0) return box;
  const [across, down] = [now[0] / size[0], now[1] / size[1]];
  return [box[0] * across, box[1] * down, box[2] * across, box[3] * down];
}

function noPlace(label: string): Error {
  return codedError('MND_SPOT_INVALID', {
    expected: 'an event with a box',
    found: `one of a classifier, which names the whole picture`,
    next: `raise presence.labels.${JSON.stringify(label)}.enter, or crop the camera`,
  });
}

function parse(text: string): SuppressedSpot | null {
  try {
    return JSON.parse(text) as SuppressedSpot;
  } catch {
    return null;
  }
}
