/** A broker that dislikes something closes the connection at once. */
const SUSPECT_MS = 3000;
/** Losses with the same topic under way, and no answer to it in between. */
const STRIKES = 3;
/** As many suffice with a broker that was seen to close over a topic. */
const STRIKES_KNOWN = 2;
/** And with one that has refused the topic in words just before. */
const STRIKES_REFUSED = 1;
const MAX_UNDERWAY = 512;

/** Something that was sent and not answered yet. */
export interface Underway {
  /** The topic, or what a subscription asks for. */
  readonly subject: string;
  readonly kind: 'message' | 'subscription';
  /** Of the payload. */
  readonly bytes: number;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** The topic was at fault before, and is tried again. */
  readonly trial: boolean;
}

/** What becomes of something that is under way. */
export interface Trace {
  /** The broker has answered, and is still there. */
  answered(): void;
  /** The broker answers with a refusal, in words, and may yet close the connection over it. */
  refused(why: string): void;
}

/** What a connection was lost over; `refused`: what the broker had answered, where it had. */
export interface Culprit extends Underway {
  readonly refused: string | null;
}

interface Entry extends Underway {
  readonly at: number;
  refused: string | null;
}

/**
 * Finds out over which topic a broker closes the connection: some (AWS IoT, EMQX with
 * `deny_action = disconnect`, aedes) do so without a word when a rule forbids a message, and others
 * over its size or QoS. What was unanswered at each loss is remembered. After the first such loss the
 * connection is told to be {@link careful}, one message at a time, so that the next losses name one
 * topic; what was under way at three losses, and alone at the last, is the culprit.
 */
export class Suspects {
  readonly #now: () => number;
  #underway: Entry[] = [];
  #strikes = new Map<string, number>();
  #careful = false;
  #found = false;

  /** @param now monotonic, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether only one message may be under way at a time. */
  get careful(): boolean {
    return this.#careful;
  }

  /** The connection has lasted; false while something is still to be answered, so that care goes on. */
  sound(): boolean {
    if (this.#careful && this.#underway.length > 0) return false;
    this.#careful = false;
    return true;
  }

  /**
   * Notes what is being sent. Brokers answer in order, so an answer clears what was sent before it and has
   * none of its own (QoS 0).
   */
  sending(what: Underway): Trace {
    const entry: Entry = { ...what, at: this.#now(), refused: null };
    if (this.#underway.length >= MAX_UNDERWAY) this.#underway.shift();
    this.#underway.push(entry);
    return {
      answered: () => this.#answered(entry),
      refused: (why) => {
        entry.refused = why;
      },
    };
  }

  #answered(entry: Entry): void {
    const at = this.#underway.indexOf(entry);
    if (at < 0) return;
    this.#underway = this.#underway.filter(
      (other, index) => index > at || (index < at && (other.qos > 0 || other.refused !== null)),
    );
    this.#strikes.delete(entry.subject);
  }

  /**
   * The connection was lost. `explained`: for a reason that no message has caused, which is no
   * strike. Returns what the broker does not take, once that is certain.
   */
  lost(explained: boolean): { readonly culprit: Culprit | null; readonly suspected: boolean } {
    const now = this.#now();
    const recent = this.#underway.filter(({ at }) => now - at < SUSPECT_MS);
    this.#underway = [];
    if (explained) return { culprit: null, suspected: false };
    const subjects = new Set(recent.map(({ subject }) => subject));
    if (recent.length === 0) return { culprit: null, suspected: false };
    const trials = recent.filter((entry) => entry.trial);
    const [trial] = trials;
    // Of several that were tried again one is at fault: they have their turns.
    if (new Set(trials.map(({ subject }) => subject)).size > 1) this.#careful = true;
    else if (trial !== undefined) return { culprit: trial, suspected: true };
    if (trials.length > 0) return { culprit: null, suspected: true };
    if (this.#strikes.size > MAX_UNDERWAY) this.#strikes.clear();
    for (const subject of subjects) {
      this.#strikes.set(subject, (this.#strikes.get(subject) ?? 0) + 1);
    }
    this.#careful = true;
    const [first] = recent;
    const alone = subjects.size === 1 && first !== undefined;
    if (!alone || (this.#strikes.get(first.subject) ?? 0) < this.#needed(first)) {
      const most = Math.max(...this.#strikes.values());
      return { culprit: null, suspected: this.#found || most > 1 };
    }
    this.#strikes.delete(first.subject);
    this.#found = true;
    return { culprit: first, suspected: true };
  }

  #needed({ refused }: Entry): number {
    if (!this.#found) return STRIKES;
    return refused === null ? STRIKES_KNOWN : STRIKES_REFUSED;
  }
}
