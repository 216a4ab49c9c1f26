import type { Log } from '../../log.js';
import { type Backoff, type Clock, createBackoff } from '../../time.js';

/** Topics that are listed and remembered; more would be a broker that takes nothing. */
const MAX_HELD = 1024;
/** Topics that are named in the log one by one. */
const MAX_NAMED = 20;
/** An answer costs nothing; a closed connection does. */
const ANSWERED = { firstMs: 10_000, lastMs: 300_000 };
// A network that breaks three times at one topic looks the same: such a mistake must not last.
const CLOSED = { firstMs: 120_000, lastMs: 7_200_000 };
/** Payloads from this size on are held for their size; smaller ones of the topic still go out. */
const SIZED_BYTES = 512;
/** How many topics that end alike are refused before the others that do are taken to be refused as well. */
const ALIKE = 2;

/** A topic that is kept back because the broker does not take it now. */
export interface HeldTopic {
  readonly topic: string;
  /** Why, in words. */
  readonly reason: string;
  /** Since when, and when it is tried again; milliseconds since the epoch. */
  readonly since: number;
  readonly retryAt: number;
}

interface Hold {
  readonly reason: string;
  readonly since: number;
  readonly backoff: Backoff;
  /** The topic has cost the connection, and would again. */
  readonly costly: boolean;
  /** Least payload that is held, bytes. */
  bytes: number;
  retryAt: number;
  /** The time has come: the next message is let through. */
  trying: boolean;
  cancel: () => void;
}

export interface HoldsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Something may be tried again: a topic, or with null all of them. */
  readonly onRelease: (topic: string | null) => void;
}

/** Topics that the broker does not take for now: each is kept back and tried again, ever more rarely. */
export class Holds {
  readonly #options: HoldsOptions;
  readonly #held = new Map<string, Hold>();
  readonly #named = new Set<string>();

  constructor(options: HoldsOptions) {
    this.#options = options;
  }

  /** Keeps a topic back. `costly`: the broker closes the connection over it, or answers unreadably. */
  hold(topic: string, reason: string, how: { readonly costly: boolean; readonly bytes: number }) {
    const { clock, random } = this.#options;
    const before = this.#held.get(topic);
    before?.cancel();
    if (before === undefined && this.#held.size >= MAX_HELD) return;
    const waits = how.costly ? CLOSED : ANSWERED;
    // That it costs the connection as well is worth another line.
    if (how.costly && before?.costly === false) this.#named.delete(topic);
    const kept = before?.costly === how.costly ? before : undefined;
    const backoff = kept?.backoff ?? createBackoff({ ...waits, random });
    const wait = backoff.next();
    const hold: Hold = {
      reason,
      since: before?.since ?? clock.wall(),
      backoff,
      costly: how.costly,
      // A little smaller is not worth another closed connection.
      bytes: how.costly && how.bytes >= SIZED_BYTES ? Math.floor(how.bytes / 2) : 0,
      retryAt: clock.wall() + wait,
      trying: false,
      cancel: clock.setTimer(() => this.#release(topic), wait),
    };
    this.#held.set(topic, hold);
    this.#name(topic, hold, wait);
  }

  /** Why a message must not be sent now; null when it may. */
  find(topic: string, bytes: number): string | null {
    const hold = this.#held.get(topic);
    if (hold !== undefined) return hold.trying || bytes < hold.bytes ? null : hold.reason;
    return this.#alike(topic);
  }

  /** Whether the topic is held back, and the time has come to try it again. */
  isTried(topic: string): boolean {
    return this.#held.get(topic)?.trying === true;
  }

  /** Whether the message is one that cost the connection before. */
  isTrial(topic: string): boolean {
    const hold = this.#held.get(topic);
    return hold?.trying === true && hold.costly;
  }

  /** The broker has taken a message of so many bytes. */
  accepted(topic: string, bytes: number): void {
    const hold = this.#held.get(topic);
    if (hold === undefined || bytes < hold.bytes) return;
    hold.cancel();
    this.#held.delete(topic);
    if (this.#named.delete(topic)) {
      this.#options.log.info({ topic }, `the broker takes ${topic} again`);
    }
    // Others of its topic may wait; after a costly one, others that end alike, and those of other reasons.
    if (hold.costly) this.#tryOthers();
    this.#options.onRelease(hold.costly ? null : topic);
  }

  /** Whether the connection was lost over any. */
  get costly(): boolean {
    return [...this.#held.values()].some((hold) => hold.costly);
  }

  /** Lets everything through again: another reason was found. */
  clear(): void {
    this.close();
    this.#held.clear();
    this.#named.clear();
    this.#options.onRelease(null);
  }

  /**
   * There is a new connection: what was only answered is asked again at once. `afresh`: the last one was
   * sound, so the broker may have been given other rules; one topic that has cost the connection goes ahead.
   */
  reconnected(afresh: boolean): void {
    const costly = [...this.#held].filter(([, hold]) => hold.costly);
    for (const [topic, hold] of this.#held) if (!hold.costly) this.#release(topic);
    const [first] = costly;
    const trying = costly.some(([, hold]) => hold.trying);
    if (afresh && first !== undefined && !trying) this.#release(first[0]);
  }

  /** Nobody has anything to say there, or to hear, any more. */
  forget(topic: string): void {
    this.#held.get(topic)?.cancel();
    this.#held.delete(topic);
    this.#named.delete(topic);
  }

  list(): HeldTopic[] {
    return [...this.#held].map(([topic, { reason, since, retryAt }]) => ({
      topic,
      reason,
      since,
      retryAt,
    }));
  }

  close(): void {
    for (const { cancel } of this.#held.values()) cancel();
  }

  /** One that had cost the connection was taken: the rules of the broker are others. */
  #tryOthers(): void {
    const waiting = [...this.#held].filter(([, hold]) => hold.costly && !hold.trying);
    for (const [topic] of waiting) this.#release(topic);
  }

  #release(topic: string): void {
    const hold = this.#held.get(topic);
    if (hold === undefined) return;
    hold.cancel();
    if (hold.trying) {
      // Nobody has anything to say there any more.
      this.#held.delete(topic);
      return;
    }
    hold.trying = true;
    const wait = hold.costly ? CLOSED.lastMs : ANSWERED.lastMs;
    hold.cancel = this.#options.clock.setTimer(() => this.#release(topic), wait);
    this.#options.onRelease(topic);
  }

  /** The reason of topics that end alike: a rule about `+/attributes` is not learned a hundred times. */
  #alike(topic: string): string | null {
    const ending = endingOf(topic);
    let found = 0;
    for (const [other, hold] of this.#held) {
      if (!hold.costly || hold.bytes > 0 || hold.trying || endingOf(other) !== ending) continue;
      found += 1;
      if (found >= ALIKE) return `${hold.reason} (as ${other})`;
    }
    return null;
  }

  #name(topic: string, hold: Hold, wait: number): void {
    if (this.#named.has(topic)) return;
    if (this.#named.size > MAX_NAMED) return;
    this.#named.add(topic);
    const { log } = this.#options;
    if (this.#named.size > MAX_NAMED) {
      log.warn({}, 'further topics are held back: mobilenetd status lists them');
      return;
    }
    log.warn(
      { code: 'MND_MQTT_HELD', topic },
      `${topic} is held back: ${hold.reason}; allow it in the rules of the broker; it is tried again in ${Math.max(1, Math.round(wait / 1000))} s, everything else goes on`,
    );
  }
}

/** Number of levels and the last of them. */
function endingOf(topic: string): string {
  const levels = topic.split('/');
  return `${levels.length} ${levels.at(-1)}`;
}
