import type { Box, Result, ScoredLabel } from '#mobilenetd/inference/result.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { createPresence } from '#mobilenetd/presence/presence.js';

export const WALL = 1_700_000_000_000;
/** Milliseconds between two looks. */
export const STEP = 200;
/** How well five rungs see a person: how often, and by how much their boxes are off, in parts of it. */
const RUNGS = [
  { model: 'a', sees: 0.98, jitter: 0.02, score: 0.9 },
  { model: 'b', sees: 0.96, jitter: 0.03, score: 0.85 },
  { model: 'c', sees: 0.94, jitter: 0.04, score: 0.8 },
  { model: 'd', sees: 0.9, jitter: 0.05, score: 0.75 },
  { model: 'e', sees: 0.85, jitter: 0.07, score: 0.7 },
] as const;
/** Less of an object in the picture than this, and no network finds it. */
export const LEAST_PART = 0.12;

export function iou(a: Box, b: Box): number {
  const across = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (across <= 0 || down <= 0) return 0;
  return (across * down) / (a[2] * a[3] + b[2] * b[3] - across * down);
}

/** Where the things of a scene are at a time, the nearest to the camera first; null: not in it. */
export type Scene = (seconds: number) => readonly (Box | null)[];

export interface Seen {
  readonly at: number;
  readonly object: string;
  readonly box: Box;
}

/**
 * Films a drawn scene with a detector as real ones are: boxes jitter, are missed, and of two that lie
 * over each other only the nearer one is seen. The five rungs mix frame by frame.
 *
 * @param frame width and height of the picture, whose borders cut boxes off; null: it has none
 */
export function film(
  scene: Scene,
  seconds: number,
  label: string,
  random: () => number,
  frame: readonly [width: number, height: number] | null = null,
) {
  let ids = 0;
  const presence = createPresence('front', {
    ...{ enter: 0.5, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} },
    ...(frame !== null && { frame }),
    createId: () => `event-${String(++ids).padStart(8, '0')}`,
  });
  const events: PresenceEvent[] = [];
  const where: Seen[] = [];
  for (let at = 0; at < seconds * 1000; at += STEP) {
    const rung = RUNGS[Math.floor(random() * RUNGS.length)] ?? RUNGS[0];
    const shown: Box[] = [];
    for (const whole of scene(at / 1000)) {
      const box = whole === null || frame === null ? whole : partIn(whole, frame);
      if (box === null || shown.some((nearer) => iou(nearer, box) > 0.45)) continue;
      shown.push(box);
    }
    const labels: ScoredLabel[] = shown
      .filter(() => random() < rung.sees)
      .map((box) => {
        const off = () => (random() - 0.5) * 2 * rung.jitter;
        const drawn = jittered(box, off);
        return {
          ...{ index: 1, label, score: rung.score + off() },
          box: frame === null ? drawn : keptAtBorders(drawn, box, frame),
        };
      });
    const result: Result = {
      ...{ camera: 'front', sequence: at + 1, capturedAt: at, time: WALL + at },
      ...{ model: rung.model, alpha: 1, size: 300, labels },
      timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
    };
    events.push(...presence.update(result));
    for (const track of presence.where()) where.push({ at, ...track });
  }
  return { events, where, begun: events.filter(({ type }) => type === 'new').length };
}

function jittered([x, y, width, height]: Box, off: () => number): Box {
  return [x + off() * width, y + off() * height, width * (1 + off()), height * (1 + off())];
}

/** What of a box is in the picture; null: too little. */
function partIn([x, y, width, height]: Box, [across, down]: readonly [number, number]): Box | null {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  const [right, bottom] = [Math.min(across, x + width), Math.min(down, y + height)];
  if (right - left < 8 || bottom - top < 8) return null;
  const isSeen = (right - left) * (bottom - top) >= LEAST_PART * width * height;
  return isSeen ? [left, top, right - left, bottom - top] : null;
}

/** A box that is drawn somewhat off still ends at the borders where its object does, and nowhere beyond. */
function keptAtBorders(
  [x, y, width, height]: Box,
  object: Box,
  [across, down]: readonly [number, number],
): Box {
  const left = object[0] <= 0 ? 0 : Math.max(0, x);
  const top = object[1] <= 0 ? 0 : Math.max(0, y);
  const right = object[0] + object[2] >= across ? across : Math.min(across, x + width);
  const bottom = object[1] + object[3] >= down ? down : Math.min(down, y + height);
  return [left, top, Math.max(1, right - left), Math.max(1, bottom - top)];
}
