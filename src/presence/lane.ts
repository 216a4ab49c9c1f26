import type { Box } from '../inference/result.js';
import type { EventType } from './event.js';
import { createBody, moveBody, predictBody, restsIn } from './objects/body.js';
import { matchBoxes } from './objects/match.js';
import { Returns } from './returns.js';
import { type Sightings, type Stretch, stretched } from './sightings.js';
import {
  createTrack,
  endStay,
  type Folding,
  type Instant,
  isIdle,
  observe,
  resetTrack,
  type SeenBy,
  type Stay,
  shiftStay,
  shiftTrack,
  type Thresholds,
  type Track,
} from './track.js';
import { Visits } from './zones/visits.js';
import type { Zone } from './zones/zone.js';

/** A stationary object whose stay has ended: it may only have been out of sight. */
interface Former {
  readonly box: Box;
  readonly stay: Stay;
  readonly visits: Visits | null;
  /** Monotonic time. */
  readonly endedAt: number;
}

/** How a frame is to be folded in. */
export interface Look {
  readonly at: Instant;
  readonly seenBy: SeenBy;
  readonly thresholds: Thresholds;
  readonly window: Folding['window'];
  readonly createId: Folding['createId'];
  readonly mayBegin: Folding['mayBegin'];
  /** Those in which this label counts. */
  readonly zones: readonly Zone[];
  /** From the picture to the frame that zones are measured in. */
  readonly stretch: Stretch;
  /** Asked before another object is followed; false: there are too many. */
  readonly hasRoom: () => boolean;
}

export interface Outcome {
  readonly track: Track;
  readonly type: EventType;
}

/** An object that stood still is the same one when it is found in its place again, ms. */
const FORMER_MS = 3_600_000;
const MAX_FORMERS = 16;

/** One label or group in front of one camera: its objects, or the label of the whole picture. */
export class Lane {
  readonly label: string;
  #tracks: Track[] = [];
  #formers: Former[] = [];
  readonly #returns = new Returns();

  constructor(label: string) {
    this.label = label;
  }

  tracks(): readonly Track[] {
    return this.#tracks;
  }

  /** True when nothing of the label is remembered. */
  isIdle(): boolean {
    return this.#tracks.length === 0 && this.#formers.length === 0 && this.#returns.isEmpty();
  }

  /** Folds in what a frame shows; whoever hears of an `end` takes the stay off with {@link end}. */
  fold(sightings: Sightings, look: Look, tell: (outcome: Outcome) => void): void {
    this.#formers = this.#formers.filter(({ endedAt }) => look.at.capturedAt - endedAt < FORMER_MS);
    const [best] = sightings.seen;
    this.#returns.look(best?.box === null ? best.score : 0, look.at.capturedAt);
    const seenAs = this.#recognise(sightings, look);
    const folding: Folding = {
      window: look.window,
      createId: look.createId,
      mayBegin: look.mayBegin,
      patience: (track) => this.#returns.patience(track, look.thresholds, look.at.capturedAt),
      resume: (track) => this.#resume(track),
    };
    for (const track of this.#tracks) {
      const sighting = seenAs.get(track);
      const observation = {
        score: sighting?.score ?? 0,
        box: sighting?.box ?? null,
        count: sightings.count,
      };
      if (look.zones.length > 0) visit(track, observation.box, look);
      const type = observe(track, observation, look.at, look.seenBy, look.thresholds, folding);
      if (type !== null) tell({ track, type });
    }
    this.sweep();
  }

  /** Ends the stay of a track; one of a stationary object can be taken up again. */
  end(track: Track, at: number): void {
    const { stay, body } = track;
    this.#returns.note(track, at);
    if (stay?.stationary && body !== null) {
      this.#formers.push({ box: body.box, stay, visits: track.visits, endedAt: at });
      if (this.#formers.length > MAX_FORMERS) this.#formers.shift();
    }
    endStay(track);
  }

  /** Forgets scores from before a gap in the results. */
  reset(track: Track): void {
    resetTrack(track);
  }

  drop(track: Track): void {
    this.#tracks = this.#tracks.filter((other) => other !== track);
  }

  /** Forgets tracks of which nothing is remembered. */
  sweep(): void {
    if (this.#tracks.some(isIdle)) this.#tracks = this.#tracks.filter((track) => !isIdle(track));
  }

  shift(ms: number): void {
    for (const track of this.#tracks) shiftTrack(track, ms);
    this.#formers = this.#formers.map((former) => ({
      ...former,
      stay: shiftStay(former.stay, ms),
    }));
  }

  /** Which track each sighting is of; what is new is followed from now on. */
  #recognise({ seen }: Sightings, { at, hasRoom }: Look): Map<Track, Sightings['seen'][number]> {
    const found = new Map<Track, Sightings['seen'][number]>();
    if (seen.length === 0) return found;
    const now = at.capturedAt;
    const objects = this.#tracks.filter(({ body }) => body !== null);
    const boxes = seen.flatMap(({ box }) => (box === null ? [] : [box]));
    const owners = matchBoxes(
      objects.map((track) => followedOf(track, now)),
      boxes,
    );
    let next = 0;
    for (const sighting of seen) {
      const { box } = sighting;
      if (box === null) {
        found.set(this.#whole(), sighting);
        continue;
      }
      const known = objects[owners[next] ?? -1];
      next += 1;
      if (known?.body) moveBody(known.body, box, now);
      else if (!hasRoom()) continue;
      found.set(known ?? this.#follow(createTrack(this.label, createBody(box, now))), sighting);
    }
    return found;
  }

  #whole(): Track {
    const known = this.#tracks.find(({ body }) => body === null);
    return known ?? this.#follow(createTrack(this.label, null));
  }

  #follow(track: Track): Track {
    this.#tracks.push(track);
    return track;
  }

  #resume(track: Track): Stay | null {
    const { body } = track;
    if (body === null) return null;
    const index = this.#formers.findIndex(({ box }) => restsIn(body.box, box));
    const [former] = index < 0 ? [] : this.#formers.splice(index, 1);
    if (former?.visits) track.visits = former.visits;
    return former?.stay ?? null;
  }
}

function visit(track: Track, box: Box | null, { zones, at, stretch }: Look): void {
  if (track.body === null) return;
  track.visits ??= new Visits();
  if (box !== null) track.visits.follow(stretched(box, stretch), zones, at.capturedAt);
  track.visits.pass(zones, at.capturedAt);
}

function followedOf({ body, recent, box }: Track, now: number) {
  const expected = body === null ? (box ?? [0, 0, 0, 0]) : predictBody(body, now);
  const unseen = body === null ? 0 : Math.max(0, now - body.seenAt) / 1000;
  return { expected, unseen, isFresh: recent[2] > 0 } as const;
}
