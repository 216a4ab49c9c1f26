import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import { loadConfig } from '#mobilenetd/config/load.js';

const AREA = '[[0, 0.5], [1, 0.5], [1, 1]]';
const LINE = '[[0.5, 1], [0.5, 0]]';

const REFUSED: readonly (readonly [keys: string, key: string, message: RegExp, more?: string])[] = [
  ['zones: { porch: { area: [[0, 0]] } }', 'zones.porch.area', /at least two points/],
  ['zones: { porch: {} }', 'zones.porch.area', /missing; expected a list/],
  ['zones: { porch: { area: [[0, 0], [0.5, 300], [1, 1]] } }', 'zones.porch.area', /all whole/],
  [
    'zones: { porch: { area: [[0, 0], [700, 0], [0, 9]] } }',
    'zones.porch.area',
    /frame of 640×480/,
  ],
  [`zones: { porch: { area: ${AREA}, direction: in } }`, 'zones.porch.direction', /only a line/],
  [`zones: { gate: { area: ${LINE}, dwell: 5 } }`, 'zones.gate.dwell', /nobody stays on a line/],
  ['zones: { gate: { area: [[0, 1], [0, 1]] } }', 'zones.gate.area', /two points that differ/],
  [`zones: { events: { area: ${AREA} } }`, 'zones.events', /meaning of its own/],
  [`labels: [car], zones: { car: { area: ${AREA} } }`, 'zones.car', /"car" is a label/],
  [
    `labels: [car], zones: { a: { area: ${AREA}, labels: [cat] } }`,
    'zones.a.labels',
    /"cat" is not/,
  ],
  [`zones: { porch: { area: ${AREA} } }, required_zones: [porhc]`, 'required_zones', /"porch"\?/],
  [
    `objects: { car: { required_zones: [porch] } }`,
    'objects.car.required_zones',
    /there is no zone "porch"/,
  ],
  [
    'zones: { a: { area: [[0, 0], [640, 480], [640, 0], [0, 480]] } }',
    'zones.a.area',
    /the line after corner 1 crosses that after corner 3/,
  ],
  [
    'zones: { a: { area: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.3, 0], [0.1, 0.5]] } }',
    'zones.a.area',
    /the line after corner 1 crosses that after corner 3/,
  ],
  [
    'zones: { a: { area: [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]] } }',
    'zones.a.area',
    /three corners that are not on one line/,
  ],
  [
    'zones: { a: { area: [[10, 10], [90, 90], [10, 10]] } }',
    'zones.a.area',
    /three corners that are not on one line/,
  ],
  ['min_area: 500, max_area: 400', 'min_area', /at most max_area/],
  ['min_area: 0.5, max_area: 400', 'min_area', /both in square pixels/],
  ['min_ratio: 3, max_ratio: 2', 'min_ratio', /at most max_ratio/],
  [
    'max_ratio: 2, objects: { car: { min_ratio: 3 } }',
    'objects.car.min_ratio',
    /at most max_ratio/,
  ],
  [
    `zones: { a: { area: ${AREA}, dwell: 3 } }`,
    'zones',
    /needs boxes/,
    'model: { task: classify }\n',
  ],
  ['min_area: 0.1', 'min_area', /needs boxes/, 'model: { task: classify }\n'],
  ['objects: { car: { min_area: 1 } }', 'objects', /needs boxes/, 'model: { task: classify }\n'],
];

function load(folder: string, keys: string, more = '') {
  const file = join(folder, 'c.yaml');
  writeFileSync(file, `${more}cameras:\n  front: { source: demo, ${keys} }\n`);
  return loadConfig({ env: {}, systemFile: '/none', files: [file] }).config.cameras.front;
}

t.test('a classifier takes the place of a zone, for a label that is taught', async (t) => {
  const more = 'model: { task: classify }\n';
  const camera = load(t.testdir(), `zones: { gate: { area: ${AREA} } }`, more);
  t.match(camera?.zones.gate, { labels: 'all', direction: 'any' });
});

t.test('zones and limits of objects are taken in pixels and in shares', async (t) => {
  const camera = load(
    t.testdir(),
    `zones: { porch: { area: ${AREA}, labels: [person], dwell: 10 }, gate: { area: [[320, 480], [320, 0]], direction: in } }, required_zones: [porch], min_area: 0.01, objects: { car: { min_area: 900 } }`,
  );
  t.match(camera?.zones.porch, { name: null, labels: ['person'], min_frames: 2, dwell: 10 });
  t.match(camera?.zones.gate, { labels: 'all', dwell: null, direction: 'in' });
  t.match(camera, {
    required_zones: ['porch'],
    min_area: 0.01,
    objects: { car: { min_area: 900 } },
  });
});

t.test('an area may be closed, turn inwards, touch itself and turn either way', async (t) => {
  for (const area of [
    '[[0, 0], [640, 0], [640, 480], [0, 480], [0, 0]]',
    '[[0, 480], [640, 480], [640, 0], [0, 0]]',
    '[[0, 0], [300, 200], [640, 0], [320, 480]]',
    '[[0, 0], [320, 240], [640, 0], [640, 480], [320, 240], [0, 480]]',
    '[[0, 0], [320, 0], [320, 0], [640, 0], [640, 480]]',
  ]) {
    t.ok(load(t.testdir(), `zones: { a: { area: ${area} } }`)?.zones.a, area);
  }
});

t.test(
  'zones of camera_defaults are those of every camera that has none of that name',
  async (t) => {
    const shared = `camera_defaults: { zones: { porch: { area: ${AREA}, dwell: 3 } }, objects: { car: { min_area: 5 } } }\n`;
    const camera = load(t.testdir(), `zones: { gate: { area: ${LINE} } }`, shared);
    t.match(camera?.zones, { gate: { dwell: null }, porch: { dwell: 3, min_frames: 2 } });
    t.match(camera?.objects, { car: { min_area: 5 } });
    const own = load(t.testdir(), `zones: { porch: { area: ${AREA} } }`, shared);
    t.match(own?.zones, { porch: { dwell: null } });
  },
);

for (const [keys, key, message, more] of REFUSED) {
  t.test(`${more ?? ''}${keys} is refused`, async (t) => {
    try {
      load(t.testdir(), keys, more);
      t.fail('it was taken');
    } catch (error) {
      if (!isConfigError(error)) throw error;
      const found = error.problems.find((problem) => problem.key === `cameras.front.${key}`);
      t.match(found?.message, message, JSON.stringify(error.problems));
    }
  });
}
