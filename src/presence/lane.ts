import type { Box } from '../inference/result.js';
import type { EventType } from './event.js';
import { createBody, moveBody, restsIn } from './objects/body.js';
import type { Matcher } from './objects/match.js';
import { Returns } from './returns.js';
import type { NameRules } from './settings.js';
import { type Sightings, type Stretch, stretched } from './sightings.js';
import type { Folding, Stay, Thresholds, Track } from './state.js';
import { beginStay, resumeStay, shiftStay } from './stay.js';
import {
  createTrack,
  endStay,
  isIdle,
  observe,
  postponeStay,
  resetTrack,
  shiftTrack,
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
export interface Look extends Folding {
  readonly createId: (timeMs: number) => string;
  /** From the picture to the frame that zones are measured in. */
  readonly stretch: Stretch;
  /** The part of the picture that is looked at; null: unknown. */
  readonly view: Box | null;
  readonly matcher: Matcher;
  /** Whether anything may be said of a track that would be present otherwise. */
  readonly mayBegin: (track: Track) => boolean;
  /** Asked before another object is followed; false: there are too many. */
  readonly hasRoom: () => boolean;
  /** An event is due; whoever hears of an `end` takes the stay off with {@link Lane.end}. */
  readonly tell: (lane: Lane, track: Track, type: EventType) => void;
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

  /** Folds in what a frame shows; null: nothing of this label. */
  fold(sightings: Sightings | null, look: Look, { thresholds, zones }: NameRules): void {
    const { at } = look;
    if (this.#formers.length > 0) {
      this.#formers = this.#formers.filter(({ endedAt }) => at.capturedAt - endedAt < FORMER_MS);
    }
    this.#returns.look(wholeScoreOf(sightings), at.capturedAt);
    for (const track of this.#tracks) track.sighting = -1;
    if (sightings !== null) this.#recognise(sightings, look);
    const count = sightings?.count ?? 0;
    for (const track of this.#tracks) {
      const score = sightings?.scores[track.sighting] ?? 0;
      const box = sightings?.boxes[track.sighting] ?? null;
      if (zones.length > 0) visit(track, box, look, zones);
      const due = observe(track, score, box, count, look, thresholds);
      const type = due === 'due' ? this.#begin(track, look, thresholds) : due;
      if (type !== null) look.tell(this, track, type);
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

  /** How many objects are followed. */
  objects(): number {
    let count = 0;
    for (const { body } of this.#tracks) if (body !== null) count += 1;
    return count;
  }

  /** Forgets an object that is not present and was not seen; false if there is none. */
  dropLost(): boolean {
    const at = this.#tracks.findIndex(
      ({ body, stay, recent, sighting }) =>
        body !== null && stay === null && recent[2] === 0 && sighting === -1,
    );
    if (at < 0) return false;
    this.#tracks.splice(at, 1);
    return true;
  }

  /** Forgets tracks of which nothing is remembered. */
  sweep(): void {
    for (const track of this.#tracks) {
      if (!isIdle(track)) continue;
      this.#tracks = this.#tracks.filter((other) => !isIdle(other));
      return;
    }
  }

  shift(ms: number): void {
    for (const track of this.#tracks) shiftTrack(track, ms);
    this.#formers = this.#formers.map((former) => ({
      ...former,
      stay: shiftStay(former.stay, ms),
    }));
  }

  /** Tells each track which sighting is of it; what is new is followed from now on. */
  #recognise({ boxes, size, count }: Sightings, { at, view, matcher, hasRoom }: Look): void {
    const now = at.capturedAt;
    // Only the first can be of the whole picture.
    const first = boxes[0] === null ? 1 : 0;
    if (first === 1) this.#whole().sighting = 0;
    if (size === first) return;
    matcher.clear(view);
    for (let n = first; n < size; n += 1) matcher.addBox(boxes[n] ?? NOWHERE, n < count);
    for (const { body, recent } of this.#tracks) {
      if (body !== null) matcher.addObject(body, recent[2] > 0, now);
    }
    matcher.match();
    this.#move(boxes, first, matcher, now, view);
    for (let n = first; n < size; n += 1) {
      if (matcher.objectOf(n - first) !== -1 || !hasRoom()) continue;
      const track = createTrack(this.label, createBody(boxes[n] ?? NOWHERE, now, view));
      track.sighting = n;
      this.#tracks.push(track);
    }
  }

  #move(
    boxes: Sightings['boxes'],
    first: number,
    matcher: Matcher,
    now: number,
    view: Box | null,
  ): void {
    let object = 0;
    for (const track of this.#tracks) {
      if (track.body === null) continue;
      const found = matcher.boxOf(object);
      object += 1;
      if (found === -1) continue;
      track.sighting = first + found;
      moveBody(track.body, boxes[first + found] ?? NOWHERE, now, view);
    }
  }

  /** A track that may begin a stay; it takes up a former one if it rests in its place. */
  #begin(track: Track, look: Look, thresholds: Thresholds): EventType | null {
    const { at } = look;
    if (!look.mayBegin(track)) {
      postponeStay(track, at);
      return null;
    }
    const former = this.#takeFormer(track);
    if (former !== null) {
      resumeStay(track, former, at);
      return 'update';
    }
    const patience = this.#returns.patience(track, thresholds, at.capturedAt);
    beginStay(track, look, look.createId(at.time), patience);
    return 'new';
  }

  #whole(): Track {
    for (const track of this.#tracks) if (track.body === null) return track;
    const track = createTrack(this.label, null);
    this.#tracks.push(track);
    return track;
  }

  #takeFormer(track: Track): Stay | null {
    const { body } = track;
    if (body === null) return null;
    const index = this.#formers.findIndex(({ box }) => restsIn(body.box, box));
    const [former] = index < 0 ? [] : this.#formers.splice(index, 1);
    if (former?.visits) track.visits = former.visits;
    return former?.stay ?? null;
  }
}

const NOWHERE: Box = [0, 0, 0, 0];

/** The score of the label of the whole picture, 0 without one. */
function wholeScoreOf(sightings: Sightings | null): number {
  return sightings !== null && sightings.boxes[0] === null ? (sightings.scores[0] ?? 0) : 0;
}

function visit(track: Track, box: Box | null, { at, stretch }: Look, zones: readonly Zone[]): void {
  if (track.body === null) return;
  track.visits ??= new Visits();
  if (box !== null) track.visits.follow(stretched(box, stretch), zones, at.capturedAt);
  track.visits.pass(zones, at.capturedAt);
}
