import type { ZoneState } from './event.js';
import type { Track } from './state.js';
import type { Zone } from './zones/zone.js';

/** Which labels are in which zones of a camera, to tell when that changes. */
export class Occupancy {
  readonly #camera: string;
  /** By zone and label, those that are not empty. */
  #states = new Map<string, ZoneState>();

  constructor(camera: string) {
    this.#camera = camera;
  }

  /** Looks where everything is; returns what is not as it was. `time` is the wall clock's. */
  look(tracks: Iterable<Track>, zones: readonly Zone[], time: number): ZoneState[] {
    if (zones.length === 0 && this.#states.size === 0) return [];
    const now = new Map<string, ZoneState>();
    for (const track of tracks) {
      if (track.stay === null || track.visits === null) continue;
      for (const { name } of zones) {
        if (track.visits.isIn(name)) this.#add(now, track, name, time);
      }
    }
    const changed = [...now].filter(([key, state]) => !isSame(this.#states.get(key), state));
    const left = [...this.#states].filter(([key]) => !now.has(key));
    this.#states = now;
    return [
      ...left.map(([, state]) => ({ ...state, ...NOBODY, since: time })),
      ...changed.map(([, state]) => state),
    ];
  }

  isEmpty(): boolean {
    return this.#states.size === 0;
  }

  /** Everything that is in a zone now. */
  states(): ZoneState[] {
    return [...this.#states.values()];
  }

  shift(ms: number): void {
    for (const [key, state] of this.#states) {
      this.#states.set(key, { ...state, since: state.since + ms });
    }
  }

  #add(now: Map<string, ZoneState>, { label, stay, visits }: Track, zone: string, time: number) {
    if (stay === null) return;
    const key = `${zone}\n${label}`;
    const before = now.get(key);
    now.set(key, {
      ...{ camera: this.#camera, zone, label },
      count: (before?.count ?? 0) + 1,
      since: before?.since ?? this.#states.get(key)?.since ?? time,
      score: Math.max(before?.score ?? 0, stay.best),
      loitering: (before?.loitering ?? false) || (visits?.loitering.includes(zone) ?? false),
      events: [...(before?.events ?? []), stay.id],
    });
  }
}

const NOBODY = { count: 0, score: 0, loitering: false, events: [] } as const;

/** A better score alone is not worth telling. */
function isSame(before: ZoneState | undefined, state: ZoneState): boolean {
  return (
    before !== undefined &&
    before.loitering === state.loitering &&
    before.events.length === state.events.length &&
    before.events.every((id, index) => id === state.events[index])
  );
}
