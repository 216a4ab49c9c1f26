import t from 'tap';
import { sightingsOf } from '#mobilenetd/daemon/sightings.js';
import type { Box, Result } from '#mobilenetd/inference/result.js';
import { createPresence } from '#mobilenetd/presence/presence.js';

const START = Date.UTC(2026, 5, 1, 12);
const INTERVAL = 110;
/** How the one who walks is seen, from frame to frame. */
const LOOKS = [
  ...['well', 'well', 'dim', 'well', 'well', 'hidden', 'well'],
  ...['dim', 'well', 'hidden', 'hidden', 'well', 'dim'],
];

function resultOf(n: number, boxes: readonly (readonly [Box, number])[]): Result {
  return {
    ...{ camera: 'front', sequence: n, capturedAt: n * INTERVAL, time: START + n * INTERVAL },
    ...{ model: 'ssd', alpha: 1, size: 300 },
    labels: boxes.map(([box, score]) => ({ index: 1, label: 'dog', score, box })),
    timings: { decode: 0, preprocess: 0, inference: 1, postprocess: 0 },
  };
}

t.test('of an event that comes after its best moment the frame at hand is told', (t) => {
  let ids = 0;
  const presence = createPresence('front', {
    ...{ enter: 0.5, stay: 0.35, offDelay: 3, minFrames: 2, labels: {}, groups: {} },
    createId: () => `event-${String(++ids).padStart(30, '0')}`,
  });
  let shown = 0;
  let earlier = 0;
  let hidden = 0;
  for (let n = 0; n < 90; n += 1) {
    // One walks and is seen better and better, but for some frames; another stands.
    const look = LOOKS[n % LOOKS.length];
    const isHidden = look === 'hidden';
    const walking: Box = [20 + 5 * n, 100, 60, 80];
    const standing: Box = [500, 300, 50, 50];
    const score = 0.55 + n * 0.004 - (look === 'dim' ? 0.12 : 0);
    const boxes: (readonly [Box, number])[] = [[standing, 0.6]];
    if (!isHidden) boxes.push([walking, score]);
    const result = resultOf(n, boxes);
    const events = presence.update(result);
    const sightings = sightingsOf(events, result, () => presence.objects());
    for (const { id, type, box } of events) {
      if (type === 'end') continue;
      const found = sightings.get(id);
      if (found === undefined) {
        t.ok(isHidden, `frame ${n} shows it`);
        hidden += 1;
        continue;
      }
      t.ok(
        boxes.some(([each, how]) => each.join() === found.box.join() && how === found.score),
        `frame ${n} says so`,
      );
      shown += 1;
      if (box?.join() !== found.box.join()) earlier += 1;
    }
  }
  t.ok(shown > 3, `${shown} events with a frame that shows their object`);
  t.ok(earlier > 0, `${earlier} of them have the box of another frame`);
  t.ok(hidden > 0, `${hidden} came with a frame that does not show it`);
  t.end();
});

t.test('nobody is looked for where labels are of the whole picture', (t) => {
  const never = () => t.fail('objects were asked for') as never;
  t.same([...sightingsOf([], resultOf(0, []), never)], []);
  t.end();
});
