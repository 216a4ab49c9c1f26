import type { Box, Result } from '../inference/result.js';
import type { Presence, PresentLabel, PresentObject } from './contract.js';
import type { EventType, PresenceEvent, ZoneState } from './event.js';
import { Lane, type Look } from './lane.js';
import { Matcher } from './objects/match.js';
import { Occupancy } from './occupancy.js';
import { byScore, presentLabel } from './present.js';
import { type PresenceOptions, readSettings, type Settings } from './settings.js';
import { FrameSightings, type Stretch, stretched, stretchOf, viewOf } from './sightings.js';
import { type Spot, spotOf } from './spots.js';
import type { Instant, SeenBy, SubLabel, Track } from './state.js';
import { eventOf, isOver, rememberStay } from './stay.js';

export type { Presence, PresentLabel, PresentObject } from './contract.js';
export type { ObjectLimits, PresenceOptions } from './settings.js';
export type { Instant, SubLabel, Thresholds } from './state.js';

/**
 * Presence of objects, or of labels of the whole picture, in front of one camera: a track is present
 * after the median of its last three scores (a frame without it counts 0) reached `enter` in `minFrames`
 * results in a row, stays while the median is at least `stay`, and ends `offDelay` seconds after it fell
 * below. Boxes of one label are told apart by where they are and how they move.
 *
 * Durations are measured on the monotonic clock alone, so a wall clock that is set back or forth
 * neither holds a label nor ends one; stamps are wall times, and `end` is never before `start`.
 * `start` is the time of the first result of the run that made the track present, `end` that of
 * the last result in which it was still above `stay`.
 *
 * A stationary object that flickers stays present until the looks in vain cannot be chance, and one that
 * is found in its place again within an hour takes its event up again, as an `update`.
 *
 * Throws MND_CONFIG_INVALID for thresholds out of range.
 */
export function createPresence(camera: string, initial: PresenceOptions): Presence {
  return new CameraPresence(camera, initial);
}

const LOOKS_TO_JUDGE = 10;

class CameraPresence implements Presence {
  readonly #camera: string;
  #settings: Settings;
  readonly #lanes = new Map<string, Lane>();
  readonly #sightings = new FrameSightings();
  readonly #matcher = new Matcher();
  readonly #occupancy: Occupancy;
  /** Results that are news whoever looks: by other rules the same scene may mean something else. */
  #unjudged = 0;
  #spots: readonly Spot[] = [];
  /** What is present at them ends. */
  #isSpotNew = false;
  #held = new Map<string, number>();
  /** Events that the result at hand causes. */
  #events: PresenceEvent[] = [];
  /** The variant of the last result. */
  #seenBy: SeenBy = { model: '', alpha: null, size: 0 };
  /** From the pictures of the last result to the frame that spots are measured in. */
  #stretch: Stretch = [1, 1];
  #last: Instant | null = null;
  /** When the last result or tick came. */
  #now: Instant = { capturedAt: 0, time: 0 };

  constructor(camera: string, initial: PresenceOptions) {
    this.#camera = camera;
    this.#occupancy = new Occupancy(camera);
    this.#settings = readSettings(initial);
  }

  update(result: Result, isNews = true): PresenceEvent[] {
    const at = this.#forward(result);
    // A stay below its threshold is judged with this result in hand, not before it.
    const events = this.#expire(at, false);
    this.#last = at;
    this.#now = at;
    if (!isNews && this.#unjudged === 0) {
      for (const lane of this.#lanes.values()) {
        for (const track of lane.tracks()) rememberStay(track, at);
      }
      return events;
    }
    if (this.#unjudged > 0) this.#unjudged -= 1;
    this.#stretch = stretchOf(result, this.#settings);
    this.#sightings.read(result, this.#settings, this.#stretch);
    this.#follow();
    this.#events = events;
    const look = this.#lookAt(result, at);
    for (const [name, lane] of this.#lanes) {
      lane.fold(this.#sightings.of(name), look, this.#settings.rulesOf(name));
      if (lane.isIdle()) this.#lanes.delete(name);
    }
    return events;
  }

  #lookAt(result: Result, at: Instant): Look {
    const { model, alpha, size } = result;
    const last = this.#seenBy;
    if (last.model !== model || last.alpha !== alpha || last.size !== size) {
      this.#seenBy = { model, alpha, size };
    }
    const { window, createId } = this.#settings;
    return {
      at,
      seenBy: this.#seenBy,
      window,
      createId,
      stretch: this.#stretch,
      view: viewOf(result, this.#settings, this.#stretch),
      matcher: this.#matcher,
      mayBegin: this.#mayBegin,
      hasRoom: this.#makeRoom,
      tell: this.#tell,
    };
  }

  readonly #tell: Look['tell'] = (lane, track, type) =>
    this.#report(lane, track, type, this.#events);

  tick(given: Instant): PresenceEvent[] {
    const now = this.#forward(given);
    this.#now = now;
    return this.#expire(now, true);
  }

  present(): PresentLabel[] {
    const labels: PresentLabel[] = [];
    for (const lane of this.#lanes.values()) {
      const label = presentLabel(lane);
      if (label !== null) labels.push(label);
    }
    return labels.length < 2 ? labels : labels.sort(byScore);
  }

  open(): PresenceEvent[] {
    return this.#tracks().flatMap(([, track]) => eventOf(track, this.#camera, 'update') ?? []);
  }

  objects(): PresentObject[] {
    return this.#tracks().flatMap(([{ label }, { stay, body }]) =>
      stay === null || body === null ? [] : [{ eventId: stay.id, label, box: body.box }],
    );
  }

  name(eventId: string, sub: SubLabel): PresenceEvent[] {
    for (const [, track] of this.#tracks()) {
      const { stay } = track;
      if (stay?.id !== eventId) continue;
      if (stay.sub !== null && sub.score <= stay.sub.score) return [];
      stay.sub = sub;
      const event = eventOf(track, this.#camera, 'update');
      return event === null ? [] : [event];
    }
    return [];
  }

  where(): { readonly object: string; readonly box: Box }[] {
    return this.#tracks().flatMap(([, { stay, body }]) => {
      const object = stay?.object ?? null;
      return object === null || body === null ? [] : [{ object, box: body.box }];
    });
  }

  zoneChanges(): ZoneState[] {
    const { zones } = this.#settings;
    if (zones.length === 0 && this.#occupancy.isEmpty()) return [];
    for (const [{ label }, track] of this.#tracks()) {
      track.visits?.pass(this.#settings.rulesOf(label).zones, this.#now.capturedAt);
    }
    return this.#occupancy.look(
      this.#tracks().map(([, track]) => track),
      zones,
      this.#now.time,
    );
  }

  zones(): ZoneState[] {
    return this.#occupancy.states();
  }

  suppress(spots: readonly Spot[]): void {
    this.#spots = spots;
    this.#isSpotNew = spots.length > 0;
  }

  held(): ReadonlyMap<string, number> {
    const held = this.#held;
    if (held.size > 0) this.#held = new Map();
    return held;
  }

  shift(ms: number): void {
    this.#occupancy.shift(ms);
    this.#now = { ...this.#now, time: this.#now.time + ms };
    for (const lane of this.#lanes.values()) lane.shift(ms);
  }

  end(): PresenceEvent[] {
    const events = [] as PresenceEvent[];
    for (const [lane, track] of this.#tracks()) this.#report(lane, track, 'end', events);
    this.#lanes.clear();
    this.#unjudged = LOOKS_TO_JUDGE;
    return events;
  }

  configure(options: PresenceOptions): void {
    this.#settings = readSettings(options);
    this.#unjudged = LOOKS_TO_JUDGE;
  }

  #tracks(): (readonly [Lane, Track])[] {
    return [...this.#lanes.values()].flatMap((lane) =>
      lane.tracks().map((track) => [lane, track] as const),
    );
  }

  /** An object counts once it was in one of the zones required of it, and is no known false alarm. */
  readonly #mayBegin = (track: Track): boolean => {
    const { label, body, visits } = track;
    if (body === null) return true;
    const required = this.#settings.rulesOf(label).requiredZones;
    const isIn = required.length === 0 || required.some((zone) => visits?.entered.includes(zone));
    if (!isIn || this.#spots.length === 0) return isIn;
    const spot = this.#spotOf(track);
    if (spot === null) return true;
    if (!track.isHeld) this.#held.set(spot.id, (this.#held.get(spot.id) ?? 0) + 1);
    track.isHeld = true;
    return false;
  };

  #spotOf({ label, body }: Track): Spot | null {
    if (body === null) return null;
    const first = stretched(body.first, this.#stretch);
    return spotOf(this.#spots, label, first, stretched(body.box, this.#stretch));
  }

  #report(lane: Lane, track: Track, type: EventType, events: PresenceEvent[]): void {
    const event = eventOf(track, this.#camera, type);
    if (type === 'end') lane.end(track, this.#last?.capturedAt ?? 0);
    if (event !== null) events.push(event);
  }

  /** Never earlier than the last instant: a result that overtook another must not turn time back. */
  #forward(at: Instant): Instant {
    if (this.#last === null || at.capturedAt >= this.#last.capturedAt) return at;
    return { capturedAt: this.#last.capturedAt, time: at.time };
  }

  /** Ends what was silent for too long or is no longer followed; with `overdue` whatever else is due. */
  #expire(now: Instant, overdue: boolean): PresenceEvent[] {
    const silence = this.#last === null ? 0 : now.capturedAt - this.#last.capturedAt;
    const events: PresenceEvent[] = [];
    for (const [name, lane] of this.#lanes) {
      const { thresholds, isKept } = this.#settings.rulesOf(name);
      const silent =
        silence > this.#settings.regularSilence && silence >= thresholds.offDelay * 1000;
      const gone = silent || !isKept;
      if (!gone && !overdue && !this.#isSpotNew) continue;
      for (const track of lane.tracks()) {
        const isDue =
          gone ||
          (overdue && isOver(track, now, thresholds)) ||
          (this.#isSpotNew && this.#spotOf(track) !== null);
        if (track.stay !== null && isDue) this.#report(lane, track, 'end', events);
        else if (gone) lane.reset(track);
      }
      lane.sweep();
      if (lane.isIdle()) this.#lanes.delete(name);
    }
    this.#isSpotNew = false;
    return events;
  }

  /** Starts to follow what the frame shows, up to the bound. */
  #follow(): void {
    for (const { label } of this.#sightings.seen()) {
      if (this.#lanes.has(label)) continue;
      if (this.#lanes.size >= this.#settings.maxLabels && !this.#dropLane()) return;
      this.#lanes.set(label, new Lane(label));
    }
  }

  /** Forgets a label that is neither present nor in the frame, the weakest; false if there is none. */
  #dropLane(): boolean {
    let weakest: Lane | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      const tracks = lane.tracks();
      if (this.#sightings.of(lane.label) !== null) continue;
      if (tracks.some(({ stay }) => stay !== null)) continue;
      const best = Math.max(0, ...tracks.map(({ smoothed }) => smoothed));
      if (best < least) [weakest, least] = [lane, best];
    }
    return weakest !== null && this.#lanes.delete(weakest.label);
  }

  /** Whether another object can be followed, if need be in place of one that was lost. */
  readonly #makeRoom = (): boolean => {
    let objects = 0;
    for (const lane of this.#lanes.values()) objects += lane.objects();
    if (objects < this.#settings.maxObjects) return true;
    for (const lane of this.#lanes.values()) if (lane.dropLost()) return true;
    return false;
  };
}
