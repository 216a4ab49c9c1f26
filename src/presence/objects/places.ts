/** Objects or boxes that lists have room for at first. */
export const USUAL_SIZE = 64;

/** Places in the picture, a number each in lists that are used again: nothing is made for a frame. */
export class Places {
  size = 0;
  /** Middles, widths and heights. */
  x = new Float64Array(USUAL_SIZE);
  y = new Float64Array(USUAL_SIZE);
  width = new Float64Array(USUAL_SIZE);
  height = new Float64Array(USUAL_SIZE);
  /** The number of what it was matched with, −1 without; and of the best pair that it is in. */
  match = new Int32Array(USUAL_SIZE);
  best = new Int32Array(USUAL_SIZE);

  add(x: number, y: number, width: number, height: number): void {
    const at = this.size;
    if (at === this.x.length) this.#grow();
    this.size += 1;
    this.x[at] = x;
    this.y[at] = y;
    this.width[at] = width;
    this.height[at] = height;
    this.match[at] = -1;
  }

  #grow(): void {
    this.x = larger(this.x);
    this.y = larger(this.y);
    this.width = larger(this.width);
    this.height = larger(this.height);
    this.match = larger(this.match);
    this.best = larger(this.best);
  }
}

/** The list with twice the room. */
export function larger<T extends Float64Array | Int32Array | Uint8Array>(list: T): T {
  const made = new (list.constructor as new (length: number) => T)(2 * list.length);
  made.set(list);
  return made;
}
