import type { PresenceEvent } from '../../presence/event.js';
import type { Clock } from '../../time.js';
import type { PendingMessage } from '../message.js';

/** Events that wait at a time; more would be a camera that sees everything new. */
const MAX_WAITING = 64;

interface Wait {
  /** Its picture is out, or is not waited for any more. */
  readonly picture: Promise<void>;
  readonly open: () => void;
  /** The message is out after it. */
  readonly message: Promise<void>;
  readonly close: () => void;
}

/**
 * Holds the message about an event back until its picture is out, but not for long; and tells when the
 * message is out, so that the next picture does not overtake it.
 */
export class PictureGate {
  readonly #clock: Clock;
  readonly #waitMs: number;
  /** By event id: what waits for its picture. */
  readonly #waiting = new Map<string, Wait>();
  /** By event id: pictures that are out, whose message is on its way. */
  readonly #leaving = new Map<string, Wait>();

  /** @param waitMs the longest wait for a picture, and for the message after it; 0: none waits */
  constructor(clock: Clock, waitMs: number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  /** A picture of each event is to come. Call it before they are recorded. */
  expect(events: readonly PresenceEvent[]): void {
    if (this.#waitMs === 0) return;
    for (const { id } of events) {
      if (this.#waiting.has(id) || this.#waiting.size >= MAX_WAITING) continue;
      const picture = deferred();
      const message = deferred();
      const cancel = this.#clock.setTimer(() => this.pass(id), this.#waitMs);
      this.#waiting.set(id, {
        picture: picture.promise,
        open() {
          cancel();
          picture.resolve();
        },
        message: message.promise,
        close: message.resolve,
      });
    }
  }

  /** There will be no picture, or it is late: the message may go. */
  pass(id: string): void {
    this.#waiting.get(id)?.open();
    this.#waiting.delete(id);
  }

  /** The picture is out. Resolves when the message about the event is, too, or nobody knows of one. */
  async opened(id: string): Promise<void> {
    const wait = this.#waiting.get(id);
    if (wait === undefined) return;
    this.#leaving.set(id, wait);
    this.pass(id);
    const cancel = this.#clock.setTimer(wait.close, this.#waitMs);
    await wait.message;
    cancel();
    this.#leaving.delete(id);
  }

  /** What a message has to wait for; null when it may go. */
  of(message: PendingMessage): Promise<void> | null {
    if (this.#waiting.size === 0) return null;
    return this.#waiting.get(idIn(message) ?? '')?.picture ?? null;
  }

  /** A message is out. */
  sent(message: PendingMessage): void {
    if (this.#leaving.size > 0) this.#leaving.get(idIn(message) ?? '')?.close();
  }
}

function idIn({ payload }: PendingMessage): string | null {
  try {
    return String(JSON.parse(Buffer.from(payload).toString()).id);
  } catch {
    return null;
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
