import type { Box } from '../../inference/result.js';
import { crossing, isInside, type Point } from './area.js';
import { isLine, type Zone } from './zone.js';

/** How long a line shows that it was crossed, ms. */
const CROSSED_MS = 5000;

interface Visit {
  /** Looks in a row that found the object inside, or outside once it was in. */
  run: number;
  /** Monotonic time since when it is inside; null: it is not. */
  since: number | null;
}

/** Where one object is, and has been. Times are monotonic milliseconds. */
export class Visits {
  /** Zones that it has entered, in order, and those of them in which it loitered. */
  readonly entered: string[] = [];
  readonly loitering: string[] = [];
  readonly #visits = new Map<string, Visit>();
  #last: Point | null = null;

  /** The object was seen in a box. */
  follow(box: Box, zones: readonly Zone[], now: number): void {
    const here: Point = [box[0] + box[2] / 2, box[1] + box[3]];
    for (const zone of zones) {
      if (isLine(zone)) this.#followLine(zone, here, now);
      else this.#followArea(zone, here, now);
    }
    this.#last = here;
  }

  /** Time has passed: who is still in a zone may loiter, and a crossing is over. */
  pass(zones: readonly Zone[], now: number): void {
    for (const zone of zones) {
      const visit = this.#visits.get(zone.name);
      if (visit === undefined || visit.since === null) continue;
      const stayed = now - visit.since;
      if (isLine(zone)) {
        if (stayed >= CROSSED_MS) visit.since = null;
      } else if (zone.dwell !== null && stayed >= zone.dwell * 1000) {
        addOnce(this.loitering, zone.name);
      }
    }
  }

  /** Whether it is in the zone now; of a line, whether it has just crossed it. */
  isIn(zone: string): boolean {
    return (this.#visits.get(zone)?.since ?? null) !== null;
  }

  #followArea(zone: Zone, here: Point, now: number): void {
    const visit = this.#visitOf(zone.name);
    const changes = isInside(here, zone.area) !== (visit.since !== null);
    visit.run = changes ? visit.run + 1 : 0;
    if (visit.run < zone.minFrames) return;
    visit.run = 0;
    visit.since = visit.since === null ? now : null;
    if (visit.since !== null) addOnce(this.entered, zone.name);
  }

  #followLine(zone: Zone, here: Point, now: number): void {
    const [first, second] = zone.area;
    if (this.#last === null || first === undefined || second === undefined) return;
    const way = crossing(this.#last, here, [first, second]);
    if (way === null || (zone.direction !== 'any' && zone.direction !== way)) return;
    this.#visitOf(zone.name).since = now;
    addOnce(this.entered, zone.name);
  }

  #visitOf(zone: string): Visit {
    const known = this.#visits.get(zone);
    if (known !== undefined) return known;
    const made: Visit = { run: 0, since: null };
    this.#visits.set(zone, made);
    return made;
  }
}

function addOnce(names: string[], name: string): void {
  if (!names.includes(name)) names.push(name);
}
