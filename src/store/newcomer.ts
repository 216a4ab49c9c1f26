import { statSync } from 'node:fs';
import type { Clock } from '../time.js';

/** A file that is being copied to the place of the database must be still for this long, ms. */
export const STILL_MS = 1000;

/** A file stands in the place of the database, and somebody may still be writing it. */
export class UnsettledError extends Error {}

/** How a file looked, and since when it has. */
interface Look {
  readonly size: number;
  readonly changed: number;
  /** Monotonic time, ms, at which it was first seen like this. */
  readonly since: number;
}

/** A file that came to the database's path from outside: it is used when nobody writes it any more. */
export class Newcomer {
  readonly #file: string;
  readonly #clock: Pick<Clock, 'now'>;
  #look: Look | null = null;

  constructor(file: string, clock: Pick<Clock, 'now'>) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Throws {@link UnsettledError} until the file has been the same for a second. */
  requireStill(): void {
    const found = statSync(this.#file, { throwIfNoEntry: false });
    const size = found?.size ?? 0;
    const changed = found?.mtimeMs ?? 0;
    const before = this.#look;
    if (before === null || before.size !== size || before.changed !== changed) {
      this.#look = { size, changed, since: this.#clock.now() };
    } else if (this.#clock.now() - before.since >= STILL_MS) {
      this.#look = null;
      return;
    }
    throw new UnsettledError('the file is being replaced from outside');
  }
}
