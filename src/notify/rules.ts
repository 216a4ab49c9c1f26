import { createSchedule, type Location, type Schedule } from '../camera/schedule.js';
import type { PresenceEvent } from '../presence/event.js';
import { namesIn, type RuleConfig } from './rule-keys.js';

/** Events that are remembered; of more the oldest are forgotten. */
const MAX_FOLLOWED = 1000;

/** The moment at which rules are judged: monotonic and wall clock, ms. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** A rule is met by an event. */
export interface Firing {
  readonly rule: string;
  readonly event: PresenceEvent;
  /** What the cool-down is of: one label at one camera. */
  readonly cause: string;
}

interface Rule {
  readonly name: string;
  readonly cameras: ReadonlySet<string> | null;
  readonly labels: ReadonlySet<string> | null;
  readonly zones: readonly string[] | null;
  readonly subLabels: readonly string[] | null;
  readonly score: number;
  readonly schedule: Schedule | null;
  readonly dwellMs: number;
  readonly cooldownMs: number;
}

interface Followed {
  /** As it was told of last; over, it may come back: a parked car that was hidden for a while. */
  event: PresenceEvent;
  /** Since when a rule has been met but for its dwell time, monotonic ms. */
  readonly since: Map<string, number>;
  /** Rules that it needs no more: they have fired, or were cooling down. */
  readonly settled: Set<string>;
}

/** Decides which events meet which rules. Holds no timers and reads no clock. */
export class RuleBook {
  readonly #rules: readonly Rule[];
  readonly #followed = new Map<string, Followed>();
  /** By rule and cause: when it fired last, monotonic ms. */
  readonly #firedAt = new Map<string, number>();
  #suppressed = 0;

  constructor(rules: Readonly<Record<string, RuleConfig>>, location: Location | null) {
    this.#rules = Object.entries(rules)
      .filter(([, { enabled }]) => enabled)
      .map(([name, rule]) => ruleOf(name, rule, location));
  }

  /** Firings that a cool-down held back. */
  suppressed(): number {
    return this.#suppressed;
  }

  /** An earlier process fired `ageMs` ago. */
  recall(rule: string, cause: string, ageMs: number, { now }: Moment): void {
    this.#firedAt.set(`${rule}\0${cause}`, now - ageMs);
  }

  /** Events have been reported; returns the rules that they meet now. */
  judge(events: readonly PresenceEvent[], moment: Moment): Firing[] {
    return events.flatMap((event) => {
      const followed = this.#follow(event);
      return this.#judgeOne(followed, moment);
    });
  }

  /** Time has passed: dwell times may be over, and schedules have begun. */
  tick(moment: Moment): Firing[] {
    return this.#open().flatMap((followed) => this.#judgeOne(followed, moment));
  }

  /** These are there already when the rules begin to be followed: they are told of no more. */
  pass(events: readonly PresenceEvent[]): void {
    for (const event of events) {
      const { settled } = this.#follow(event);
      for (const { name } of this.#rules) settled.add(name);
    }
  }

  /** Whether time alone can make a rule fire. */
  waits(): boolean {
    const waiting = (rule: Rule) => rule.dwellMs > 0 || rule.schedule !== null;
    return this.#rules.some(waiting) && this.#open().length > 0;
  }

  #open(): Followed[] {
    return [...this.#followed.values()].filter(({ event }) => event.end === null);
  }

  #follow(event: PresenceEvent): Followed {
    const followed = this.#followed.get(event.id) ?? {
      event,
      since: new Map(),
      settled: new Set(),
    };
    followed.event = event;
    if (event.end !== null) followed.since.clear();
    this.#followed.delete(event.id);
    this.#followed.set(event.id, followed);
    const [oldest] = this.#followed.keys();
    if (this.#followed.size > MAX_FOLLOWED && oldest !== undefined) this.#followed.delete(oldest);
    return followed;
  }

  #judgeOne({ event, since, settled }: Followed, moment: Moment): Firing[] {
    const firings: Firing[] = [];
    if (event.end !== null) return firings;
    for (const rule of this.#rules) {
      if (settled.has(rule.name)) continue;
      if (!isMet(rule, event, moment.wall)) {
        since.delete(rule.name);
        continue;
      }
      const metAt = since.get(rule.name) ?? moment.now;
      since.set(rule.name, metAt);
      if (moment.now - metAt < rule.dwellMs) continue;
      settled.add(rule.name);
      const cause = `${event.camera}/${event.label}`;
      if (this.#mayFire(rule, cause, moment)) firings.push({ rule: rule.name, event, cause });
      else this.#suppressed += 1;
    }
    return firings;
  }

  #mayFire({ name, cooldownMs }: Rule, cause: string, { now }: Moment): boolean {
    const key = `${name}\0${cause}`;
    const last = this.#firedAt.get(key);
    if (last !== undefined && now - last < cooldownMs) return false;
    this.#firedAt.set(key, now);
    return true;
  }
}

function ruleOf(name: string, { when, cooldown }: RuleConfig, location: Location | null): Rule {
  const set = (value: string | readonly string[] | null) => {
    const names = namesIn(value);
    return names === null ? null : new Set(names);
  };
  return {
    name,
    cameras: set(when.camera),
    labels: set(when.label),
    zones: namesIn(when.zone),
    subLabels: namesIn(when.sub_label),
    score: when.score,
    schedule:
      when.schedule.length === 0 ? null : createSchedule(when.schedule, when.time_zone, location),
    dwellMs: when.dwell * 1000,
    cooldownMs: cooldown * 1000,
  };
}

function isMet(rule: Rule, event: PresenceEvent, wall: number): boolean {
  const { cameras, labels, zones, subLabels, score, schedule } = rule;
  const { zones: been, subLabel: called } = event;
  return (
    (cameras === null || cameras.has(event.camera)) &&
    (labels === null || labels.has(event.label)) &&
    event.score >= score &&
    (zones === null || zones.some((zone) => been.includes(zone))) &&
    (subLabels === null || (called !== null && subLabels.includes(called))) &&
    (schedule === null || schedule.isOpen(wall))
  );
}
