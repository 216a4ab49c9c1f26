/** What a gate saw of a source that delivers far more than it was asked for. */
export interface Flood {
  /** Frames a second that came, and that may pass. */
  readonly came: number;
  readonly passed: number;
}

export interface RateGateOptions {
  /** Frames a second that pass, over 0. */
  readonly fps: number;
  /** Frames a second above which a source is out of its mind; default: no camera has so many. */
  readonly most?: number;
  readonly onFlood?: (flood: Flood) => void;
}

/** Frames a second that no camera of these boards has. */
const MOST_OF_ANY = 250;
/** Time over which a flood is judged, ms. */
const JUDGED_MS = 5000;
/** Frames that may come at once after a pause, in seconds of the rate: networks deliver in bursts. */
const BURST_S = 0.25;
const LEAST_BURST = 2;

/**
 * Lets min(real rate, fps) frames a second pass, whatever rhythm they come in, and never more: a
 * bucket that fills at `fps` and holds a quarter of a second. So a camera of the wanted rate loses
 * nothing to jitter, and one whose time stamps step, or that sends without measure, is held.
 */
export class RateGate {
  readonly #fps: number;
  readonly #most: number;
  readonly #capacity: number;
  readonly #onFlood: ((flood: Flood) => void) | undefined;
  #tokens: number;
  #last: number | null = null;
  #judgedFrom: number | null = null;
  #came = 0;
  #passed = 0;

  constructor({ fps, most = MOST_OF_ANY, onFlood }: RateGateOptions) {
    this.#fps = fps;
    this.#most = most;
    this.#capacity = Math.max(LEAST_BURST, 1 + BURST_S * fps);
    this.#tokens = this.#capacity;
    this.#onFlood = onFlood;
  }

  /** Whether a frame that comes at `now` (monotonic ms) passes. */
  accepts(now: number): boolean {
    const since = this.#last === null ? 0 : now - this.#last;
    this.#last = now;
    this.#tokens = Math.min(this.#capacity, this.#tokens + (since * this.#fps) / 1000);
    const passes = this.#tokens >= 1;
    if (passes) this.#tokens -= 1;
    this.#judge(now, passes);
    return passes;
  }

  #judge(now: number, passes: boolean): void {
    this.#judgedFrom ??= now;
    this.#came += 1;
    if (passes) this.#passed += 1;
    const seconds = (now - this.#judgedFrom) / 1000;
    const isOver = this.#came > (this.#most * JUDGED_MS) / 1000;
    if (!isOver && now - this.#judgedFrom < JUDGED_MS) return;
    if (isOver) {
      const per = (count: number): number => Math.round(count / Math.max(seconds, 0.001));
      this.#onFlood?.({ came: per(this.#came), passed: this.#passed });
    }
    this.#judgedFrom = now;
    this.#came = 0;
    this.#passed = 0;
  }
}
