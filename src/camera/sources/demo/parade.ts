import { clock, cup, type Lamp, stopSign, trafficLight } from './objects.js';
import { SCENE_HEIGHT, SCENE_WIDTH, type SceneLayer } from './scene.js';

/** What the parade shows, in this order; the names are the labels of `mobilenetd_things`. */
export const PARADE = ['stop sign', 'clock', 'traffic light', 'cup'] as const;
export type Paraded = (typeof PARADE)[number];

/** Seconds from one thing to the next one, and how long it is there; in between the stage is empty. */
export const PARADE_STEP = 8;
const SHOWN = 6;
/** Ticks a second at which the picture changes at most; the clock's hand needs one. */
const TICKS = 1;

/** Which thing is there `seconds` after the start, null for an empty stage. */
export function paradedAt(seconds: number): Paraded | null {
  const step = Math.floor(seconds / PARADE_STEP);
  if (seconds - step * PARADE_STEP >= SHOWN) return null;
  return PARADE[((step % PARADE.length) + PARADE.length) % PARADE.length] ?? null;
}

/**
 * One thing after another, large and alone: what a classifier, which looks at the whole picture, can
 * tell. `wallTime` is what the clock shows, milliseconds since the epoch.
 */
export function drawParade(seconds: number, wallTime: number): SceneLayer[] {
  const thing = paradedAt(seconds);
  const tick = thing === 'clock' ? Math.floor(wallTime / 1000) : Math.floor(seconds * TICKS);
  const drawn = thing === null ? '' : thingOf(thing, tick, wallTime);
  const content = [
    `<rect width="${SCENE_WIDTH}" height="${SCENE_HEIGHT}" fill="#cfdce6"/>`,
    `<rect y="400" width="${SCENE_WIDTH}" height="80" fill="#8f9689"/>`,
    `<g transform="translate(320,230) scale(1.9)">${drawn}</g>`,
  ].join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SCENE_WIDTH}" height="${SCENE_HEIGHT}">${content}</svg>`;
  const size = { x: 0, y: 0, width: SCENE_WIDTH, height: SCENE_HEIGHT };
  return [{ name: 'street', key: thing === null ? '' : `${thing} ${tick}`, ...size, svg }];
}

const LAMPS: readonly Lamp[] = ['red', 'green', 'amber'];

function thingOf(thing: Paraded, tick: number, wallTime: number): string {
  switch (thing) {
    case 'stop sign':
      return stopSign();
    case 'clock':
      return clock(wallTime);
    case 'traffic light':
      return trafficLight(LAMPS[Math.floor(tick / 2) % LAMPS.length] ?? 'red');
    case 'cup':
      return cup();
  }
}
