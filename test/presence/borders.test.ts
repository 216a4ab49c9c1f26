import t from 'tap';
import type { Box, Result } from '#mobilenetd/inference/result.js';
import { BOTTOM, bordersOf, LEFT, RIGHT, TOP } from '#mobilenetd/presence/objects/border.js';
import { createPresence } from '#mobilenetd/presence/presence.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';
import { film, LEAST_PART, type Scene, STEP, WALL } from './film.js';

const [WIDTH, HEIGHT] = [640, 480];
const SIDES = { left: [-1, 0], right: [1, 0], top: [0, -1], bottom: [0, 1] } as const;
const SIZES = { huge: [560, 420], large: [380, 300], tall: [200, 440], small: [70, 60] } as const;
/** Pixels a second. What moves further than its own size between two looks is nobody's to follow. */
const SPEEDS = [40, 150, 400] as const;

type Way = readonly [across: number, down: number];
type Size = readonly [width: number, height: number];
interface Scenario {
  readonly objects: number;
  readonly seconds: number;
  readonly scene: Scene;
}

/** A box of that size whose middle is so far from the picture's, one way; its gait makes it wider and narrower. */
function boxAt([across, down]: Way, [width, height]: Size, distance: number, seconds = 0): Box {
  const wide = width * (1 + 0.12 * Math.sin(seconds * 9));
  const [x, y] = [(WIDTH - wide) / 2 + across * distance, (HEIGHT - height) / 2 + down * distance];
  return [x, y, wide, height];
}

/** From the picture's middle to where an object is just out of it. */
function wayOut([across]: Way, [width, height]: Size): number {
  return across === 0 ? (HEIGHT + height) / 2 : (WIDTH + width) / 2;
}

const SCENARIOS: Readonly<Record<string, (way: Way, size: Size, speed: number) => Scenario>> = {
  leaves: (way, size, speed) => ({
    objects: 1,
    seconds: 3 + wayOut(way, size) / speed,
    scene: (seconds) => [boxAt(way, size, Math.max(0, seconds - 2) * speed, seconds)],
  }),
  'enters growing': (way, size, speed) => ({
    objects: 1,
    seconds: 4 + wayOut(way, size) / speed,
    scene: (seconds) => [
      boxAt(way, size, Math.max(0, wayOut(way, size) - seconds * speed), seconds),
    ],
  }),
  'half leaves and comes back': (way, size, speed) => {
    const half = way[0] === 0 ? HEIGHT / 2 : WIDTH / 2;
    const there = 2 + half / speed;
    return {
      objects: 1,
      seconds: 2 * there + 2,
      scene: (seconds) => {
        const back = half - Math.max(0, seconds - there - 1) * speed;
        const out = Math.max(0, seconds - 2) * speed;
        return [boxAt(way, size, Math.max(0, Math.min(half, out, back)), seconds)];
      },
    };
  },
  'leaves for a second and comes back': (way, size, speed) => {
    // Too little of it to be found is left in the picture.
    const least = LEAST_PART * (way[0] === 0 ? size[1] : size[0]);
    const far = wayOut(way, size) - least;
    const gone = 2 + far / speed;
    return {
      objects: 1,
      seconds: 2 * gone + 2,
      scene: (seconds) => {
        const back = far - Math.max(0, seconds - gone - 1) * speed;
        const isGone = seconds > gone && seconds < gone + 1;
        const out = isGone ? wayOut(way, size) : Math.max(0, seconds - 2) * speed;
        return [boxAt(way, size, Math.max(0, isGone ? out : Math.min(out, back)), 0)];
      },
    };
  },
  'two leave together': (way, [width, height], speed) => {
    const size: Size = way[0] === 0 ? [width * 0.45, height] : [width, height * 0.45];
    const apart = way[0] === 0 ? width * 0.28 : height * 0.28;
    const beside = (side: number, [x, y, ...sides]: Box): Box =>
      way[0] === 0 ? [x + side * apart, y, ...sides] : [x, y + side * apart, ...sides];
    return {
      objects: 2,
      seconds: 3 + wayOut(way, size) / (0.85 * speed),
      scene: (seconds) =>
        [-1, 1].map((side) => {
          const distance = Math.max(0, seconds - 2) * speed * (side < 0 ? 0.85 : 1);
          return beside(side, boxAt(way, size, distance, 0));
        }),
    };
  },
};

for (const [name, make] of Object.entries(SCENARIOS)) {
  t.test(`one event for each object at a border: ${name}`, async (t) => {
    for (const [side, way] of Object.entries(SIDES)) {
      for (const [size, sides] of Object.entries(SIZES)) {
        for (const speed of SPEEDS) {
          const least = Math.min(...sides) * (name.startsWith('two') ? 0.45 : 1);
          if ((speed * STEP) / 1000 > least / 1.5) continue;
          const { objects, seconds, scene } = make(way, sides, speed);
          for (let seed = 1; seed <= 5; seed += 1) {
            const { begun } = film(scene, seconds, 'dog', mulberry32(seed * 7 + 1), [
              WIDTH,
              HEIGHT,
            ]);
            if (begun === objects) continue;
            t.fail(`${begun} events for ${objects}: ${side}, ${size}, ${speed} px/s, seed ${seed}`);
          }
        }
      }
    }
  });
}

function watch(looks: readonly (readonly (readonly [score: number, box: Box])[])[], view?: Box) {
  let ids = 0;
  const presence = createPresence('front', {
    ...{ enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} },
    ...{ frame: [WIDTH, HEIGHT], ...(view !== undefined && { view }) },
    createId: () => `event-${String(++ids).padStart(8, '0')}`,
  });
  return looks.flatMap((look, n) => {
    const result: Result = {
      ...{ camera: 'front', sequence: n + 1, capturedAt: n * STEP, time: WALL + n * STEP },
      ...{ model: 'net', alpha: 1, size: 300 },
      labels: look.map(([score, box]) => ({ index: 1, label: 'dog', score, box })),
      timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
    };
    return presence.update(result).filter(({ type }) => type === 'new');
  });
}

t.test('of two boxes of one dog the one that counts is its own', async (t) => {
  // What the default detector says of a photograph of a setter that is moved out to the left.
  const setter: [number, Box][][] = [
    ...Array.from({ length: 10 }, (): [number, Box][] => [[0.96, [149, 54, 326, 296]]]),
    [[0.92, [124, 61, 322, 292]]],
    [[0.83, [76, 57, 343, 333]]],
    [[0.94, [45, 58, 330, 274]]],
    [[0.91, [9, 58, 328, 279]]],
    [[0.92, [1, 60, 307, 299]]],
    [
      [0.8, [0, 54, 281, 387]],
      [0.27, [11, 70, 260, 255]],
    ],
    [[0.8, [2, 39, 241, 413]]],
    [[0.78, [1, 70, 205, 330]]],
    [[0.61, [0, 47, 169, 403]]],
    [[0.29, [1, 36, 138, 416]]],
  ];
  t.equal(watch(setter).length, 1);
  const mirrored = setter.map((look) =>
    look.map(([score, [x, y, w, h]]): [number, Box] => [score, [WIDTH - x - w, y, w, h]]),
  );
  t.equal(watch(mirrored).length, 1);
  // The same way upwards, and downwards.
  const upwards = setter.map((look) =>
    look.map(([score, [x, y, w, h]]): [number, Box] => [score, [y, x * 0.75, h, w * 0.75]]),
  );
  t.equal(watch(upwards).length, 1);
  const downwards = upwards.map((look) =>
    look.map(([score, [x, y, w, h]]): [number, Box] => [score, [x, HEIGHT - y - h, w, h]]),
  );
  t.equal(watch(downwards).length, 1);
});

t.test('a second dog is a second event, at a border too', async (t) => {
  const first: [number, Box] = [0.9, [0, 100, 120, 120]];
  const second: [number, Box] = [0.9, [0, 300, 120, 120]];
  const both = (n: number): [number, Box][] => (n < 10 ? [first] : [first, second]);
  t.equal(watch(Array.from({ length: 20 }, (_, n) => both(n))).length, 2);
  const cut = (x: number): [number, Box][] => {
    const [left, right] = [Math.max(0, x), Math.min(WIDTH, x + 120)];
    return right - left < 20 ? [] : [[0.9, [left, 100, right - left, 120]]];
  };
  // One has gone for more than three seconds when another comes where it went.
  const later = Array.from({ length: 45 }, (_, n) =>
    cut(n < 25 ? 160 - n * 40 : (n - 27) * 40 - 80),
  );
  t.equal(watch(later).length, 2);
  // Another comes at the opposite border while one has just gone.
  const opposite = Array.from({ length: 30 }, (_, n) =>
    cut(n < 9 ? 160 - n * 40 : 640 - (n - 9) * 40),
  );
  t.equal(watch(opposite).length, 2);
});

t.test('what is looked at has the borders, not the frame', async (t) => {
  // The camera's crop: the right half. A dog leaves it, and is back in it after a second.
  const view: Box = [320, 0, 320, 480];
  const looks = Array.from({ length: 50 }, (_, n): [number, Box][] => {
    const middle = n < 5 ? 480 : n < 17 ? 480 - (n - 5) * 24 : n < 22 ? 0 : 200 + (n - 22) * 24;
    const left = Math.max(320, Math.min(middle, 480) - 120);
    const right = Math.min(640, Math.min(middle, 480) + 120);
    return right - left < 30 ? [] : [[0.9, [left, 100, right - left, 240]]];
  });
  t.equal(watch(looks, view).length, 1);
});

t.test('a box ends at the borders that it is within a fiftieth of', async (t) => {
  const view: Box = [100, 50, 200, 100];
  t.equal(bordersOf([150, 80, 50, 50], view), 0);
  t.equal(bordersOf([103, 80, 50, 50], view), LEFT);
  t.equal(bordersOf([105, 80, 50, 50], view), 0);
  t.equal(bordersOf([200, 51, 97, 50], view), RIGHT | TOP);
  t.equal(bordersOf([90, 40, 300, 200], view), LEFT | RIGHT | TOP | BOTTOM);
});
