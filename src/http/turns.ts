import { codedError } from '../errors.js';
import { type Clock, sleep } from '../time.js';

/** Work that may wait; more is refused. */
const MAX_WAITING = 64;
/** After work of a duration, nothing is done for this many times that. */
const REST = 2;
const MAX_REST_MS = 2000;

/**
 * Heavy answers, one after the other and with a rest after each: however many ask, frames have the
 * board for two thirds of the time.
 */
export class Turns {
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param isBegun whether this is the next piece of an answer that is on its way, which is never refused
   * @throws MND_HTTP_BUSY, and what the work throws
   */
  async take<T>(work: () => Promise<T> | T, isBegun = false): Promise<T> {
    if (!isBegun && this.#waiting >= MAX_WAITING) {
      throw codedError('MND_HTTP_BUSY', { next: 'try again in some seconds' });
    }
    this.#waiting += 1;
    const turn = this.#last.then(async () => {
      const begunAt = this.#clock.now();
      try {
        return { value: await work(), tookMs: this.#clock.now() - begunAt };
      } catch (error) {
        return { error, tookMs: this.#clock.now() - begunAt };
      } finally {
        this.#waiting -= 1;
      }
    });
    this.#last = turn.then(({ tookMs }) =>
      sleep(this.#clock, Math.min(MAX_REST_MS, REST * tookMs)),
    );
    const done = await turn;
    if ('error' in done) throw done.error;
    return done.value;
  }
}
