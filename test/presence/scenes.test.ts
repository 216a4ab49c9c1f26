import t from 'tap';
import type { Box, Result, ScoredLabel } from '#mobilenetd/inference/result.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { createPresence } from '#mobilenetd/presence/presence.js';

const WALL = 1_700_000_000_000;
const STEP = 200;
/** How well five rungs see a person: how often, and by how much their boxes are off, in parts of it. */
const RUNGS = [
  { model: 'a', sees: 0.98, jitter: 0.02, score: 0.9 },
  { model: 'b', sees: 0.96, jitter: 0.03, score: 0.85 },
  { model: 'c', sees: 0.94, jitter: 0.04, score: 0.8 },
  { model: 'd', sees: 0.9, jitter: 0.05, score: 0.75 },
  { model: 'e', sees: 0.85, jitter: 0.07, score: 0.7 },
] as const;

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function iou(a: Box, b: Box): number {
  const across = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (across <= 0 || down <= 0) return 0;
  return (across * down) / (a[2] * a[3] + b[2] * b[3] - across * down);
}

/** Where the things of a scene are at a time, the nearest to the camera first; null: not in it. */
type Scene = (seconds: number) => readonly (Box | null)[];

/**
 * Films a drawn scene with a detector as real ones are: boxes jitter, are missed, and of two that lie
 * over each other only the nearer one is seen. The five rungs mix frame by frame.
 */
function film(scene: Scene, seconds: number, label: string, random: () => number) {
  let ids = 0;
  const presence = createPresence('front', {
    ...{ enter: 0.5, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} },
    createId: () => `event-${String(++ids).padStart(8, '0')}`,
  });
  const events: PresenceEvent[] = [];
  for (let at = 0; at < seconds * 1000; at += STEP) {
    const rung = RUNGS[Math.floor(random() * RUNGS.length)] ?? RUNGS[0];
    const shown: Box[] = [];
    for (const box of scene(at / 1000)) {
      if (box === null || shown.some((nearer) => iou(nearer, box) > 0.45)) continue;
      shown.push(box);
    }
    const labels: ScoredLabel[] = shown
      .filter(() => random() < rung.sees)
      .map(([x, y, width, height]) => {
        const off = () => (random() - 0.5) * 2 * rung.jitter;
        const box: Box = [
          x + off() * width,
          y + off() * height,
          width * (1 + off()),
          height * (1 + off()),
        ];
        return { index: 1, label, score: rung.score + off(), box };
      });
    const result: Result = {
      ...{ camera: 'front', sequence: at + 1, capturedAt: at, time: WALL + at },
      ...{ model: rung.model, alpha: 1, size: 300, labels },
      timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
    };
    events.push(...presence.update(result));
    for (const track of presence.where()) where.push({ at, ...track });
  }
  return { events, begun: events.filter(({ type }) => type === 'new').length };
}

let where: { at: number; object: string; box: Box }[] = [];

t.test('of two people who cross, at most one in twenty is taken for the other', async (t) => {
  let crossings = 0;
  let switches = 0;
  let extra = 0;
  let known = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    where = [];
    const speed = 40 + random() * 80;
    const [height, lower] = [110 + random() * 40, 20 * (random() - 0.5)];
    const from = (seconds: number) => 20 + speed * seconds;
    const last = 560 / speed;
    const scene: Scene = (seconds) => [
      [from(seconds), 200, 50, height],
      [600 - speed * seconds, 200 + lower, 50, height * 0.95],
    ];
    const { begun } = film(scene, last, 'person', random);
    const nameAt = (at: number, box: Box) =>
      where.filter((seen) => seen.at === at).sort((a, b) => iou(b.box, box) - iou(a.box, box))[0]
        ?.object;
    const ends = Math.floor((last * 1000 - STEP) / STEP) * STEP;
    for (const who of [0, 1]) {
      crossings += 1;
      const [first, final] = [scene(1.4)[who], scene(ends / 1000)[who]];
      const [before, after] = [first, final].map(
        (box, n) => box && nameAt([1400, ends][n] ?? 0, box),
      );
      if (before !== undefined && after !== undefined) known += 1;
      if (before !== after) switches += 1;
    }
    extra += begun - 2;
  }
  t.comment(
    `${switches} switches in ${crossings} ways through a crossing; ${extra} events too many`,
  );
  t.ok(known > 0.95 * crossings, `${known} were followed to the end`);
  t.ok(switches <= crossings / 20, `${switches} of ${crossings}`);
});

t.test(
  'a car that parks, with a person in front of it now and then, is one event an hour',
  async (t) => {
    const random = seeded(11);
    const scene: Scene = (seconds) => {
      const x = seconds < 6 ? 640 - seconds * 60 : 280;
      const hidden = seconds > 60 && seconds % 300 < 2;
      return [hidden ? null : [x, 250, 160, 80]];
    };
    const { begun, events } = film(scene, 3600, 'car', random);
    t.equal(begun, 1);
    t.ok(events.at(-1)?.stationary);
  },
);

t.test('who is hidden for two seconds and walks on is the same', async (t) => {
  let same = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const scene: Scene = (seconds) => [
      seconds > 4 && seconds < 6 ? null : [40 + seconds * 40, 200, 50, 120],
    ];
    const { begun } = film(scene, 12, 'person', seeded(seed));
    if (begun === 1) same += 1;
  }
  t.ok(same >= 19, `${same} of 20`);
});
