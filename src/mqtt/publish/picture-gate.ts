import type { PresenceEvent } from '../../presence/event.js';
import type { Clock } from '../../time.js';
import type { PendingMessage } from '../message.js';

/** Events that wait at a time; more would be a camera that sees everything new. */
const MAX_WAITING = 64;

/** Holds the message about an event back until its picture is out, but not for long. */
export class PictureGate {
  readonly #clock: Clock;
  readonly #waitMs: number;
  /** By event id: what waits for its picture, and how to let it go. */
  readonly #waiting = new Map<
    string,
    { readonly done: Promise<void>; readonly open: () => void }
  >();

  /** @param waitMs the longest wait for a picture; 0: none is waited for */
  constructor(clock: Clock, waitMs: number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  /** A picture of each event that begins is to come. Call it before they are recorded. */
  expect(events: readonly PresenceEvent[]): void {
    if (this.#waitMs === 0) return;
    for (const { id, type } of events) {
      if (type !== 'new' || this.#waiting.has(id) || this.#waiting.size >= MAX_WAITING) continue;
      let resolve = (): void => {};
      const done = new Promise<void>((settle) => {
        resolve = settle;
      });
      const cancel = this.#clock.setTimer(() => this.opened(id), this.#waitMs);
      this.#waiting.set(id, {
        done,
        open() {
          cancel();
          resolve();
        },
      });
    }
  }

  /** The picture is out, or will not come. */
  opened(id: string): void {
    this.#waiting.get(id)?.open();
    this.#waiting.delete(id);
  }

  /** What a message has to wait for; null when it may go. */
  of({ payload }: PendingMessage): Promise<void> | null {
    if (this.#waiting.size === 0) return null;
    try {
      const { id } = JSON.parse(Buffer.from(payload).toString());
      return this.#waiting.get(String(id))?.done ?? null;
    } catch {
      return null;
    }
  }
}
