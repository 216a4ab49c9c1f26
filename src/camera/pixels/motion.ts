import type { CapturedFrame } from '../source.js';

export interface MotionOptions {
  /** 0 to 1: 1 sees the least change. Default 0.5. */
  readonly sensitivity?: number;
  /** Seconds after which a frame passes even if nothing moves; default 10. */
  readonly refresh?: number;
  /** Seconds for which frames pass after the last movement; default 2. */
  readonly hold?: number;
}

/** Decides which frames are worth looking at. */
export interface MotionGate {
  /**
   * Whether a frame that came at `now` (monotonic ms) passes, encoded ones always; `unmoved` where it
   * does so only because nothing has passed for `refresh` seconds.
   */
  accepts(frame: CapturedFrame, now: number): boolean | 'unmoved';
}

/** Cells across and down: at 640 × 480 one has 20 × 20 pixels. */
const COLUMNS = 32;
const ROWS = 24;
/** Every so many pixels, across and down, one is read. */
const STEP = 4;
/** Share of a new picture in the background: it follows slow changes of light in a few seconds. */
const ADAPTATION = 0.05;
/** A cell has changed when its mean differs by this many times its usual deviation … */
const DEVIATIONS = 5;
/** … and at least by this many levels at sensitivity 1 and 0. */
const LEAST_LEVELS = [2, 14] as const;
/** Changed cells that make a movement, at sensitivity 1 and 0. */
const LEAST_CELLS = [1, 8] as const;
const FIRST_DEVIATION = 2;

/**
 * A background of mean luma on a small grid, with the usual deviation of each cell. A frame passes
 * when cells differ from their background by more than their noise, after the change that all cells
 * share (an exposure step, a cloud) is taken off; for `hold` seconds afterwards; and every `refresh`
 * seconds in any case. A thing that comes to rest becomes background only slowly, so that it is seen
 * several times first.
 */
export function createMotionGate(options: MotionOptions = {}): MotionGate {
  const { sensitivity = 0.5, refresh = 10, hold = 2 } = options;
  const between = ([most, least]: readonly [number, number]) =>
    most + (1 - sensitivity) * (least - most);
  const leastLevels = between(LEAST_LEVELS);
  const leastCells = Math.round(between(LEAST_CELLS));
  const cells = COLUMNS * ROWS;
  const means = new Float32Array(cells);
  const background = new Float32Array(cells);
  const deviation = new Float32Array(cells).fill(FIRST_DEVIATION);
  const differences = new Float32Array(cells);
  const sorted = new Float32Array(cells);
  let shape = '';
  let lastMovement = Number.NEGATIVE_INFINITY;
  let lastPass = Number.NEGATIVE_INFINITY;

  function hasMoved(): boolean {
    for (let cell = 0; cell < cells; cell += 1) {
      differences[cell] = (means[cell] ?? 0) - (background[cell] ?? 0);
    }
    sorted.set(differences);
    sorted.sort();
    const shared = sorted[cells >> 1] ?? 0;
    let changed = 0;
    for (let cell = 0; cell < cells; cell += 1) {
      const own = Math.abs((differences[cell] ?? 0) - shared);
      const usual = deviation[cell] ?? 0;
      const isChanged = own > Math.max(leastLevels, DEVIATIONS * usual);
      if (isChanged) changed += 1;
      else deviation[cell] = usual + ADAPTATION * (own - usual);
      background[cell] = (background[cell] ?? 0) + ADAPTATION * (differences[cell] ?? 0);
    }
    return changed >= leastCells;
  }

  return {
    accepts(frame, now) {
      if (frame.format === 'jpeg') return true;
      readMeans(frame, means);
      const key = `${frame.format} ${frame.width}×${frame.height}`;
      if (key !== shape) {
        shape = key;
        background.set(means);
        deviation.fill(FIRST_DEVIATION);
        lastMovement = now;
      } else if (hasMoved()) {
        lastMovement = now;
      }
      const moves = now - lastMovement <= hold * 1000;
      if (!moves && now - lastPass < refresh * 1000) return false;
      lastPass = now;
      return moves || 'unmoved';
    },
  };
}

/** Mean luma of each cell (of rgb24: green, which is most of luma), from every fourth pixel. */
function readMeans(
  { width, height, format, bytes }: Pick<CapturedFrame, 'width' | 'height' | 'format' | 'bytes'>,
  means: Float32Array,
): void {
  const pixel = format === 'rgb24' ? 3 : 1;
  const offset = format === 'rgb24' ? 1 : 0;
  for (let row = 0; row < ROWS; row += 1) {
    const top = Math.floor((row * height) / ROWS);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / ROWS));
    for (let column = 0; column < COLUMNS; column += 1) {
      const left = Math.floor((column * width) / COLUMNS);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width) / COLUMNS));
      let sum = 0;
      let count = 0;
      for (let y = top; y < bottom; y += STEP) {
        const start = y * width * pixel + offset;
        for (let x = left; x < right; x += STEP) {
          sum += bytes[start + x * pixel] ?? 0;
          count += 1;
        }
      }
      means[row * COLUMNS + column] = sum / count;
    }
  }
}
