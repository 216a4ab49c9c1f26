import t from 'tap';
import { Scene } from '#mobilenetd/camera/pixels/scene.js';
import type { Frame } from '#mobilenetd/camera/source.js';
import type { Box, Result } from '#mobilenetd/inference/result.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { createPresence } from '#mobilenetd/presence/presence.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';

const WALL = 1_700_000_000_000;
const [WIDTH, HEIGHT] = [64, 48];
const RUNGS = Array.from({ length: 16 }, (_, n) => `net_${n}`);
const BOX: Box = [20, 10, 20, 30];
const drawn = mulberry32(2);

const BYTES = WIDTH * HEIGHT * 3;

/** Noise of two levels, drawn once; a picture takes it from anywhere in it. */
const noise = Uint8Array.from({ length: 8 * BYTES }, () => Math.floor(drawn() * 4));

/** A picture of one shade with noise. */
function frameAt(at: number, shade: number, random: () => number): Frame {
  const from = Math.floor(random() * (noise.length - BYTES));
  const bytes = noise.slice(from, from + BYTES);
  for (let n = 0; n < BYTES; n += 1) bytes[n] = (bytes[n] ?? 0) + shade;
  return {
    ...{ sequence: at + 1, camera: 'front', capturedAt: at, time: WALL + at, bytes },
    ...{ width: WIDTH, height: HEIGHT, format: 'rgb24', range: 'full' },
  };
}

interface Look {
  readonly model: string;
  readonly shade: number;
  readonly labels: readonly (readonly [label: string, score: number, box: Box | null])[];
}

/** Shows a camera something every 200 ms; returns all events. */
function watch(looks: Iterable<Look>): PresenceEvent[] {
  let ids = 0;
  const presence = createPresence('front', {
    ...{ enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} },
    createId: () => `event-${String(++ids).padStart(8, '0')}`,
  });
  const scene = new Scene();
  const random = mulberry32(1);
  const events: PresenceEvent[] = [];
  let at = 0;
  for (const { model, shade, labels } of looks) {
    const frame = frameAt(at, shade, random);
    const result: Result = {
      ...{ camera: 'front', sequence: at + 1, capturedAt: at, time: WALL + at, model },
      ...{ alpha: 1, size: 300 },
      labels: labels.map(([label, score, box]) => ({ index: 1, label, score, box })),
      timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
    };
    events.push(...presence.update(result, scene.isNews(model, frame)));
    at += 200;
  }
  return events;
}

const begun = (events: readonly PresenceEvent[]) =>
  events.filter(({ type }) => type === 'new').map(({ label }) => label);

for (const box of [BOX, null]) {
  const kind = box === null ? 'a classifier' : 'a detector';
  t.test(`the whole ladder on a still picture is one event, ${kind}`, async (t) => {
    const looks: Look[] = [];
    // Down and up again, 20 s a rung; lower rungs see the cat less and less, and then a dog.
    for (const rung of [...RUNGS.keys(), ...[...RUNGS.keys()].reverse()]) {
      const model = RUNGS[rung] ?? '';
      const labels = [
        ['cat', Math.max(0.02, 0.9 - rung * 0.08), box],
        ['dog', rung * 0.05, box],
      ] as const;
      // The governor mixes two rungs on the way.
      const next = RUNGS[Math.min(15, rung + 1)] ?? '';
      for (let n = 0; n < 100; n += 1) {
        looks.push({ model: n % 3 === 2 ? next : model, shade: 90, labels });
      }
    }
    const events = watch(looks);
    t.same(begun(events), ['cat']);
    t.notOk(events.some(({ type }) => type === 'end'));
  });
}

t.test('what changes in the scene is news to whichever variant looks', async (t) => {
  const cat = { labels: [['cat', 0.9, BOX]], shade: 90 } as const;
  const nothing = { labels: [], shade: 40 } as const;
  const many = (model: string, look: Omit<Look, 'model'>) =>
    Array.from({ length: 45 }, () => ({ model, ...look }));
  const events = watch([...many('a', cat), ...many('b', nothing), ...many('c', cat)]);
  t.same(
    events.map(({ type }) => type).filter((type) => type !== 'update'),
    ['new', 'end', 'new'],
  );
});

t.test(
  'a label that hovers around its threshold is two events in ten minutes at most',
  async (t) => {
    const random = mulberry32(7);
    const shapes: Readonly<Record<string, (seconds: number) => number>> = {
      'noise around enter': () => 0.6 + 0.2 * (random() - 0.5),
      'noise around stay': () => 0.4 + 0.3 * (random() - 0.5),
      'up and down in 20 s': (seconds) => (seconds % 20 < 10 ? 0.65 : 0.35),
      'up and down in 40 s': (seconds) => (seconds % 40 < 20 ? 0.65 : 0.35),
      'up and down in two minutes': (seconds) => (seconds % 120 < 60 ? 0.7 : 0.3),
      'a slow wave': (seconds) => 0.5 + 0.2 * Math.sin(seconds / 15),
      'a wave with noise': (seconds) => 0.5 + 0.15 * Math.sin(seconds / 5) + 0.1 * random(),
    };
    for (const [name, scoreAt] of Object.entries(shapes)) {
      for (const box of [BOX, null]) {
        const looks = Array.from({ length: 3000 }, (_, n) => {
          const score = scoreAt(n / 5);
          // A detector does not report what is below its threshold.
          const isSaid = box === null || score >= 0.4;
          return { model: 'a', shade: 90, labels: isSaid ? [['cat', score, box] as const] : [] };
        });
        const events = begun(watch(looks)).length;
        t.ok(events <= 2, `${name}, ${box === null ? 'classifier' : 'detector'}: ${events}`);
      }
    }
  },
);

t.test('what comes and goes for real is told each time', async (t) => {
  const looks = Array.from({ length: 600 }, (_, n) => ({
    ...{ model: 'a', shade: 90 },
    labels: (n / 5) % 30 < 15 ? [['cat', 0.95, null] as const] : [],
  }));
  const events = watch(looks);
  t.equal(begun(events).length, 4);
});
