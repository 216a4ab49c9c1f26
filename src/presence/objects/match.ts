import type { Box } from '../../inference/result.js';
import { type Body, coastOf } from './body.js';
import { keepInView, meetAtBorder } from './border.js';
import { larger, Places, USUAL_SIZE } from './places.js';

/** Overlap of the box with the expected one that is enough by itself. */
const LEAST_OVERLAP = 0.1;
/** Where two objects fit a box, the one that was there a moment ago is meant. */
const FRESH_BONUS = 0.1;
/** Of two boxes of one object, which a network draws now and then, the one it is sure of is meant. */
const DOUBT_MALUS = 0.5;
/** Without overlap: how far the centre may be off, in sides of the object, now and for each second. */
const REACH = 1;
const REACH_A_SECOND = 0.5;
const MOST_REACH = 2;
const MOST_SIZE_RATIO = 3;
/** What has left the view may turn round: it is looked for at its border for so long, seconds. */
const RETURN_SECONDS = 2.5;

const NO_FIT = Number.NEGATIVE_INFINITY;

/** Which box of a frame is which object that is followed. */
export class Matcher {
  /** The part of the picture that is looked at; null: unknown. */
  #view: Box | null = null;
  readonly #objects = new Places();
  /** Of each object: seconds since it was seen, and 1 if the last look found it. */
  #unseen = new Float64Array(USUAL_SIZE);
  #fresh = new Uint8Array(USUAL_SIZE);
  /** Square pixels of it with what a border cuts off. */
  #whole = new Float64Array(USUAL_SIZE);
  readonly #boxes = new Places();
  /** Of each box: 1 if it would not keep its object present. */
  #doubtful = new Uint8Array(USUAL_SIZE);
  /** Pairs that are possible. */
  #pairs = 0;
  #pairObject = new Int32Array(4 * USUAL_SIZE);
  #pairBox = new Int32Array(4 * USUAL_SIZE);
  #pairFit = new Float64Array(4 * USUAL_SIZE);

  /**
   * Forgets the last frame.
   *
   * @param view the part of the picture that is looked at in the next one; null: unknown
   */
  clear(view: Box | null = null): void {
    this.#view = view;
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
      this.#whole = larger(this.#whole);
    }
    const coast = coastOf(body, now);
    const { x, y, width, height, speedX, speedY } = body;
    const unseen = Math.max(0, now - body.seenAt) / 1000;
    this.#objects.add(x + speedX * coast, y + speedY * coast, width, height);
    if (this.#view !== null) keepInView(this.#objects, at, this.#view, unseen <= RETURN_SECONDS);
    this.#whole[at] = width * height;
    this.#unseen[at] = unseen;
    this.#fresh[at] = isFresh ? 1 : 0;
  }

  /**
   * Another box; they are numbered in this order.
   *
   * @param isSure whether its score keeps an object present
   */
  addBox([x, y, width, height]: Box, isSure = true): void {
    const at = this.#boxes.size;
    if (at === this.#doubtful.length) this.#doubtful = larger(this.#doubtful);
    this.#doubtful[at] = isSure ? 0 : 1;
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
        const bonus = this.#fresh[object] === 1 ? FRESH_BONUS : 0;
        const malus = this.#doubtful[box] === 1 ? DOUBT_MALUS : 0;
        this.#addPair(object, box, overlap + bonus - malus);
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
        const near = this.#nearFit(object, box);
        const fit = near === NO_FIT ? this.#borderFit(object, box) : near;
        if (fit > NO_FIT) this.#addPair(object, box, fit);
      }
    }
  }

  #nearFit(object: number, box: number): number {
    const across = (this.#objects.x[object] ?? 0) - (this.#boxes.x[box] ?? 0);
    const down = (this.#objects.y[object] ?? 0) - (this.#boxes.y[box] ?? 0);
    const boxArea = (this.#boxes.width[box] ?? 0) * (this.#boxes.height[box] ?? 0);
    const inView = (this.#objects.width[object] ?? 0) * (this.#objects.height[object] ?? 0);
    // Of what a border cuts off a box may show more than is expected, up to all of it.
    const area = Math.max(inView, Math.min(boxArea, this.#whole[object] ?? 0));
    const least = Math.max(Math.min(area, boxArea), Number.MIN_VALUE);
    if (Math.max(area, boxArea) / least > MOST_SIZE_RATIO) return NO_FIT;
    // In sides of the mean square: 1 is about one object further.
    const distance = Math.sqrt((across * across + down * down) / ((area + boxArea) / 2));
    const reach = Math.min(MOST_REACH, REACH + REACH_A_SECOND * (this.#unseen[object] ?? 0));
    return distance <= reach ? -distance : NO_FIT;
  }

  /** Of what a border cuts off more or less of; worse than any that is near. */
  #borderFit(object: number, box: number): number {
    if (this.#view === null || (this.#unseen[object] ?? 0) > RETURN_SECONDS) return NO_FIT;
    const isSame = meetAtBorder(
      this.#objects,
      object,
      this.#boxes,
      box,
      this.#view,
      MOST_SIZE_RATIO,
    );
    return isSame ? -2 * MOST_REACH : NO_FIT;
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
