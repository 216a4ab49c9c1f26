import type { Box } from '../../inference/result.js';
import { areNear, overlapOf } from './box.js';

/** Where an object is, how it moves, and since when it rests. Times are monotonic milliseconds. */
export interface Body {
  /** As it was seen first, and last. */
  readonly first: Box;
  box: Box;
  /** Smoothed centre, and its velocity in pixels a millisecond. */
  x: number;
  y: number;
  width: number;
  height: number;
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

export function createBody(box: Box, at: number): Body {
  const [x, y, width, height] = box;
  return {
    first: box,
    box,
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

/** The object was seen there. */
export function moveBody(body: Body, box: Box, at: number): void {
  const step = Math.min(at - body.seenAt, COAST_MS);
  const [left, top, width, height] = box;
  const errorX = left + width / 2 - (body.x + body.speedX * Math.max(step, 0));
  const errorY = top + height / 2 - (body.y + body.speedY * Math.max(step, 0));
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
  body.width += SIZE_GAIN * (width - body.width);
  body.height += SIZE_GAIN * (height - body.height);
  body.box = box;
  body.seenAt = at;
  body.looks += 1;
  followRest(body, at);
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
