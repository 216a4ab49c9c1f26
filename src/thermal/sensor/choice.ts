import { type Belief, believe } from './believable.js';
import type { Zone, ZoneGroup } from './zones.js';

/** What one zone says. */
export interface ZoneReading extends Zone {
  /** °C; null when it could not be read. */
  readonly tempC: number | null;
}

/** Looks at a zone that are remembered, and how many it takes to call it still. */
const REMEMBERED = 10;
const LOOKS = 5;
/** A zone that moved so far while another stood quite still shows that the other one is dead, °C. */
const MOVED_C = 2;

/** The looks at one zone. */
interface Memory {
  /** Range of everything it ever said, °C. */
  low: number;
  high: number;
  /** The last looks of the surveys, oldest first, °C. */
  recent: readonly number[];
  /** A reading of it was believed. */
  wasBelieved: boolean;
}

/**
 * Which zone tells the processor's temperature. Each kind of zone counts by its hottest member. Readings
 * that cannot be a processor's count nowhere, doubtful ones only where there is nothing better, and a zone
 * that stands quite still while another one moves by degrees loses to that one.
 */
export class ZoneChoice {
  readonly #memories = new Map<string, Memory>();

  /** Takes a look at every zone: half a minute apart, or so. */
  survey(groups: readonly (readonly ZoneReading[])[]): void {
    for (const { path, tempC } of groups.flat()) {
      if (tempC === null) continue;
      const memory = this.#see(path, tempC);
      memory.recent = [...memory.recent.slice(1 - REMEMBERED), tempC];
    }
  }

  /** The best group of a survey; null when none of them can be believed. */
  best(groups: readonly (readonly ZoneReading[])[]): ZoneGroup | null {
    for (const least of ['yes', 'doubtful'] as const) {
      const found = groups.find((group) =>
        group.some((zone) => this.believe(zone).trust === least && !this.#isOutdone(zone, groups)),
      );
      if (found !== undefined) return found;
    }
    return null;
  }

  /** The hottest member of a group that can be believed; null when none can. */
  hottest(group: readonly ZoneReading[]): ZoneReading | null {
    for (const { path, tempC } of group) if (tempC !== null) this.#see(path, tempC);
    for (const least of ['yes', 'doubtful'] as const) {
      const believed = group.filter(
        (zone) => this.believe(zone).trust === least && !this.#isOutdone(zone, [group]),
      );
      const [first, ...others] = believed;
      if (first === undefined) continue;
      const hottest = others.reduce((a, b) => (degreesOf(b) > degreesOf(a) ? b : a), first);
      this.#see(hottest.path, degreesOf(hottest)).wasBelieved = true;
      return hottest;
    }
    return null;
  }

  /** A member that used to be believed and now says nonsense: what it says is worth judging. */
  fallen(group: readonly ZoneReading[]): ZoneReading | null {
    const fallen = group.find(
      ({ path, tempC }) => tempC !== null && this.#memories.get(path)?.wasBelieved === true,
    );
    return fallen ?? null;
  }

  believe({ path, type, tempC }: ZoneReading): Belief {
    const memory = this.#memories.get(path);
    return believe(tempC, type, memory !== undefined && memory.high > memory.low);
  }

  #see(path: string, tempC: number): Memory {
    const memory = this.#memories.get(path) ?? {
      low: tempC,
      high: tempC,
      recent: [],
      wasBelieved: false,
    };
    memory.low = Math.min(memory.low, tempC);
    memory.high = Math.max(memory.high, tempC);
    this.#memories.set(path, memory);
    return memory;
  }

  /** It has not moved at all in looks in which another one moved by degrees. */
  #isOutdone({ path }: Zone, groups: readonly (readonly ZoneReading[])[]): boolean {
    const recent = this.#memories.get(path)?.recent ?? [];
    if (recent.length < LOOKS || rangeOf(recent) > 0) return false;
    return groups.flat().some((other) => {
      if (other.path === path || this.believe(other).trust === 'no') return false;
      const others = this.#memories.get(other.path)?.recent.slice(-recent.length) ?? [];
      return rangeOf(others) >= MOVED_C;
    });
  }
}

function degreesOf({ tempC }: ZoneReading): number {
  return tempC ?? Number.NEGATIVE_INFINITY;
}

function rangeOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
}
