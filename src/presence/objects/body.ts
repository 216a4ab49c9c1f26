import type { Box } from '../../inference/result.js';
import { BOTTOM, bordersOf, LEFT, middleOf, RIGHT, sizeOf, TOP } from './border.js';
import { areNear, overlapOf } from './box.js';

/** Where an object is, how it moves, and since when it rests. Times are monotonic milliseconds. */
export interface Body {
  /** As it was seen first, and last. */
  readonly first: Box;
  box: Box;
  /** Borders of the view that cut it off when it was seen last. */
  borders: number;
  /** Smoothed centre and size of the whole object, however much of it is seen. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Pixels a millisecond. */
  speedX: number;
  speedY: number;
  seenAt: number;
  /** Looks that found it. */
  looks: number;
  /** Where it came to rest, since when, and how many looks in a row found it elsewhere. */
  restBox: Box;
  restSince: number;
  elsewhere: number;
}

/** Shares of a new place in the smoothed one, and of its error in the velocity. */
const PLACE_GAIN = 0.7;
const SPEED_GAIN = 0.3;
/** The second look has no velocity to correct: most of its error is one. */
const FIRST_SPEED_GAIN = 0.8;
const SIZE_GAIN = 0.4;
/** What is not seen is thought to move on for so long, ms. */
const COAST_MS = 2500;
/** Two results this near in time say nothing about speed. */
const LEAST_STEP_MS = 5;
/** An object at rest: its box overlaps the one it came to rest in, and its centre is as near. */
const REST_OVERLAP = 0.5;
const REST_DISTANCE = 0.25;
/** One box that a network draws otherwise is no movement. */
const MOVING_LOOKS = 3;

/** @param view the part of the picture that is looked at; null: unknown */
export function createBody(box: Box, at: number, view: Box | null = null): Body {
  const [x, y, width, height] = box;
  return {
    first: box,
    box,
    borders: view === null ? 0 : bordersOf(box, view),
    x: x + width / 2,
    y: y + height / 2,
    width,
    height,
    speedX: 0,
    speedY: 0,
    seenAt: at,
    looks: 1,
    restBox: box,
    restSince: at,
    elsewhere: 0,
  };
}

/** Where the object should be by now, at a constant velocity: how far its centre has come since, in ms. */
export function coastOf(body: Body, at: number): number {
  return Math.min(Math.max(0, at - body.seenAt), COAST_MS);
}

/** The object was seen there; `view` as in {@link createBody}. */
export function moveBody(body: Body, box: Box, at: number, view: Box | null = null): void {
  const step = Math.min(at - body.seenAt, COAST_MS);
  const [left, top, width, height] = box;
  const borders = view === null ? 0 : bordersOf(box, view);
  const x = middleOf(left, width, body.width, borders, LEFT, RIGHT);
  const y = middleOf(top, height, body.height, borders, TOP, BOTTOM);
  if (view !== null && !isInView(body, Math.max(step, 0), view)) restart(body, x, y);
  const errorX = x - (body.x + body.speedX * Math.max(step, 0));
  const errorY = y - (body.y + body.speedY * Math.max(step, 0));
  if (step >= LEAST_STEP_MS) {
    const gain = (body.looks === 1 ? FIRST_SPEED_GAIN : SPEED_GAIN) / step;
    body.x += body.speedX * step + PLACE_GAIN * errorX;
    body.y += body.speedY * step + PLACE_GAIN * errorY;
    body.speedX += gain * errorX;
    body.speedY += gain * errorY;
  } else {
    body.x += PLACE_GAIN * errorX;
    body.y += PLACE_GAIN * errorY;
  }
  body.width = sizeOf(width, body.width, (borders & (LEFT | RIGHT)) !== 0, SIZE_GAIN);
  body.height = sizeOf(height, body.height, (borders & (TOP | BOTTOM)) !== 0, SIZE_GAIN);
  body.borders = borders;
  body.box = box;
  body.seenAt = at;
  body.looks += 1;
  followRest(body, at);
}

/** Whether any of the object should be in view so many milliseconds after it was seen. */
function isInView({ x, y, width, height, speedX, speedY }: Body, step: number, view: Box): boolean {
  const [left, top, across, down] = view;
  const fromMiddleX = Math.abs(x + speedX * step - left - across / 2);
  const fromMiddleY = Math.abs(y + speedY * step - top - down / 2);
  return fromMiddleX < (across + width) / 2 && fromMiddleY < (down + height) / 2;
}

/** What was thought to have left has turned round: how it moved says nothing any more. */
function restart(body: Body, x: number, y: number): void {
  body.x = x;
  body.y = y;
  body.speedX = 0;
  body.speedY = 0;
  body.looks = 0;
}

/** Milliseconds for which the object has not moved. */
export function restOf(body: Body, at: number): number {
  return at - body.restSince;
}

/** Whether a box is the object that rests there. */
export function restsIn(box: Box, resting: Box): boolean {
  return areNear(box, resting, REST_DISTANCE) && overlapOf(box, resting) >= REST_OVERLAP;
}

function followRest(body: Body, at: number): void {
  if (restsIn(body.box, body.restBox)) {
    body.elsewhere = 0;
    return;
  }
  body.elsewhere += 1;
  if (body.elsewhere < MOVING_LOOKS) return;
  body.restBox = body.box;
  body.restSince = at;
  body.elsewhere = 0;
}
