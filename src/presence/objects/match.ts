import type { Box } from '../../inference/result.js';
import { type Body, coastOf } from './body.js';
import { larger, Places, USUAL_SIZE } from './places.js';

/** Overlap of the box with the expected one that is enough by itself. */
const LEAST_OVERLAP = 0.1;
/** Where two objects fit a box, the one that was there a moment ago is meant. */
const FRESH_BONUS = 0.1;
/** Without overlap: how far the centre may be off, in sides of the object, now and for each second. */
const REACH = 1;
const REACH_A_SECOND = 0.5;
const MOST_REACH = 2;
const MOST_SIZE_RATIO = 3;

const NO_FIT = Number.NEGATIVE_INFINITY;

/** Which box of a frame is which object that is followed. */
export class Matcher {
  readonly #objects = new Places();
  /** Of each object: seconds since it was seen, and 1 if the last look found it. */
  #unseen = new Float64Array(USUAL_SIZE);
  #fresh = new Uint8Array(USUAL_SIZE);
  readonly #boxes = new Places();
  /** Pairs that are possible. */
  #pairs = 0;
  #pairObject = new Int32Array(4 * USUAL_SIZE);
  #pairBox = new Int32Array(4 * USUAL_SIZE);
  #pairFit = new Float64Array(4 * USUAL_SIZE);

  /** Forgets the last frame. */
  clear(): void {
    this.#objects.size = 0;
    this.#boxes.size = 0;
  }

  /**
   * Another object; they are numbered in this order.
   *
   * @param isFresh whether the last look found it
   */
  addObject(body: Body, isFresh: boolean, now: number): void {
    const at = this.#objects.size;
    if (at === this.#unseen.length) {
      this.#unseen = larger(this.#unseen);
      this.#fresh = larger(this.#fresh);
    }
    const coast = coastOf(body, now);
    const { x, y, width, height, speedX, speedY } = body;
    this.#objects.add(x + speedX * coast, y + speedY * coast, width, height);
    this.#unseen[at] = Math.max(0, now - body.seenAt) / 1000;
    this.#fresh[at] = isFresh ? 1 : 0;
  }

  /** Another box; they are numbered in this order. */
  addBox([x, y, width, height]: Box): void {
    this.#boxes.add(x + width / 2, y + height / 2, width, height);
  }

  /** Matches the best pairs first, those that overlap before those that are only near. */
  match(): void {
    const most = Math.min(this.#objects.size, this.#boxes.size);
    if (most === 0) return;
    this.#findOverlapping();
    const matched = this.#takeBest();
    if (matched === most) return;
    this.#findNear();
    this.#takeBest();
  }

  /** The number of the object that a box shows; −1 for one that is new. */
  objectOf(box: number): number {
    return this.#boxes.match[box] ?? -1;
  }

  /** The number of the box that shows an object; −1: none does. */
  boxOf(object: number): number {
    return this.#objects.match[object] ?? -1;
  }

  #findOverlapping(): void {
    const objects = this.#objects;
    const boxes = this.#boxes;
    this.#pairs = 0;
    for (let box = 0; box < boxes.size; box += 1) {
      const x = boxes.x[box] ?? 0;
      const y = boxes.y[box] ?? 0;
      const width = boxes.width[box] ?? 0;
      const height = boxes.height[box] ?? 0;
      for (let object = 0; object < objects.size; object += 1) {
        // What most pairs of a crowd do not have in common is found first.
        const objectWidth = objects.width[object] ?? 0;
        const across = (objectWidth + width) / 2 - Math.abs((objects.x[object] ?? 0) - x);
        if (!(across > 0)) continue;
        const objectHeight = objects.height[object] ?? 0;
        const down = (objectHeight + height) / 2 - Math.abs((objects.y[object] ?? 0) - y);
        if (!(down > 0)) continue;
        const both = Math.min(across, objectWidth, width) * Math.min(down, objectHeight, height);
        const overlap = both / (objectWidth * objectHeight + width * height - both);
        if (overlap < LEAST_OVERLAP) continue;
        this.#addPair(object, box, this.#fresh[object] === 1 ? overlap + FRESH_BONUS : overlap);
      }
    }
  }

  /** Of those that have no match yet. */
  #findNear(): void {
    const objects = this.#objects;
    const boxes = this.#boxes;
    this.#pairs = 0;
    for (let box = 0; box < boxes.size; box += 1) {
      if (boxes.match[box] !== -1) continue;
      for (let object = 0; object < objects.size; object += 1) {
        if (objects.match[object] !== -1) continue;
        const fit = this.#nearFit(object, box);
        if (fit > NO_FIT) this.#addPair(object, box, fit);
      }
    }
  }

  #nearFit(object: number, box: number): number {
    const across = (this.#objects.x[object] ?? 0) - (this.#boxes.x[box] ?? 0);
    const down = (this.#objects.y[object] ?? 0) - (this.#boxes.y[box] ?? 0);
    const area = (this.#objects.width[object] ?? 0) * (this.#objects.height[object] ?? 0);
    const boxArea = (this.#boxes.width[box] ?? 0) * (this.#boxes.height[box] ?? 0);
    const least = Math.max(Math.min(area, boxArea), Number.MIN_VALUE);
    if (Math.max(area, boxArea) / least > MOST_SIZE_RATIO) return NO_FIT;
    // In sides of the mean square: 1 is about one object further.
    const distance = Math.sqrt((across * across + down * down) / ((area + boxArea) / 2));
    const reach = Math.min(MOST_REACH, REACH + REACH_A_SECOND * (this.#unseen[object] ?? 0));
    return distance <= reach ? -distance : NO_FIT;
  }

  #addPair(object: number, box: number, fit: number): void {
    const at = this.#pairs;
    if (at === this.#pairFit.length) {
      this.#pairObject = larger(this.#pairObject);
      this.#pairBox = larger(this.#pairBox);
      this.#pairFit = larger(this.#pairFit);
    }
    this.#pairs += 1;
    this.#pairObject[at] = object;
    this.#pairBox[at] = box;
    this.#pairFit[at] = fit;
  }

  /**
   * Takes pairs that are the best of both until none is left: the best of all is one, so this is what
   * taking one after the other in order of their fit gives, without sorting. Returns how many there were.
   */
  #takeBest(): number {
    const objects = this.#objects;
    const boxes = this.#boxes;
    let taken = 0;
    while (this.#pairs > 0) {
      this.#findBest();
      let left = 0;
      for (let pair = 0; pair < this.#pairs; pair += 1) {
        const object = this.#pairObject[pair] ?? 0;
        const box = this.#pairBox[pair] ?? 0;
        if (objects.best[object] !== pair || boxes.best[box] !== pair) continue;
        objects.match[object] = box;
        boxes.match[box] = object;
        taken += 1;
      }
      for (let pair = 0; pair < this.#pairs; pair += 1) {
        const object = this.#pairObject[pair] ?? 0;
        const box = this.#pairBox[pair] ?? 0;
        if (objects.match[object] !== -1 || boxes.match[box] !== -1) continue;
        this.#pairObject[left] = object;
        this.#pairBox[left] = box;
        this.#pairFit[left] = this.#pairFit[pair] ?? 0;
        left += 1;
      }
      this.#pairs = left;
    }
    return taken;
  }

  /** Notes the best pair of each; of equal ones the first. */
  #findBest(): void {
    const objects = this.#objects;
    const boxes = this.#boxes;
    objects.best.fill(-1, 0, objects.size);
    boxes.best.fill(-1, 0, boxes.size);
    for (let pair = 0; pair < this.#pairs; pair += 1) {
      const object = this.#pairObject[pair] ?? 0;
      const box = this.#pairBox[pair] ?? 0;
      const fit = this.#pairFit[pair] ?? 0;
      if (fit > this.#fitOf(objects.best[object] ?? -1)) objects.best[object] = pair;
      if (fit > this.#fitOf(boxes.best[box] ?? -1)) boxes.best[box] = pair;
    }
  }

  #fitOf(pair: number): number {
    return pair === -1 ? NO_FIT : (this.#pairFit[pair] ?? 0);
  }
}
