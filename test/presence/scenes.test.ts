import t from 'tap';
import type { Box } from '#mobilenetd/inference/result.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';
import { film, iou, type Scene, STEP } from './film.js';

t.test('of two people who cross, at most one in twenty is taken for the other', async (t) => {
  let crossings = 0;
  let switches = 0;
  let extra = 0;
  let known = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = mulberry32(seed);
    const speed = 40 + random() * 80;
    const [height, lower] = [110 + random() * 40, 20 * (random() - 0.5)];
    const from = (seconds: number) => 20 + speed * seconds;
    const last = 560 / speed;
    const scene: Scene = (seconds) => [
      [from(seconds), 200, 50, height],
      [600 - speed * seconds, 200 + lower, 50, height * 0.95],
    ];
    const { begun, where } = film(scene, last, 'person', random);
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
    const random = mulberry32(11);
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
    const { begun } = film(scene, 12, 'person', mulberry32(seed));
    if (begun === 1) same += 1;
  }
  t.ok(same >= 19, `${same} of 20`);
});
