import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { keptOf, wantedLabelsOf } from '#mobilenetd/daemon/options/wanted-labels.js';
import type { SsdHead, Variant } from '#mobilenetd/models/variant.js';
import { variantNamed } from '../../taught/color-engine.js';

const output = { name: 'o', type: 'float32', scale: 1, zeroPoint: 0 } as const;
const HEAD: SsdHead = {
  kind: 'ssd',
  classes: 7,
  layers: [{ boxes: output, scores: output, stride: 16 }],
  anchors: {
    referenceSize: 300,
    minScale: 0.2,
    maxScale: 0.95,
    aspectRatios: [1],
    reduceBoxesInLowestLayer: true,
    interpolatedScaleAspectRatio: 1,
  },
  boxScales: [10, 10, 5, 5],
};
const LABELS = ['background', 'person', 'cat', '', 'dog', 'car, auto', 'bus'];
const DETECTOR: Variant = { ...variantNamed('net'), task: 'detect', head: HEAD, labels: LABELS };

function configOf(t: Test, yaml: string) {
  const file = join(t.testdir(), 'c.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ env: {}, systemFile: '/none', files: [file] }).config;
}

const kept = (t: Test, yaml: string, taughtOf: string[] = [], variant = DETECTOR) =>
  keptOf(configOf(t, yaml), taughtOf)(variant);

t.test('all labels where any camera wants all, or nobody says', (t) => {
  const one = 'front: { source: demo, labels: [cat] }';
  t.equal(kept(t, `cameras: { ${one}, yard: { source: demo } }`), null);
  t.equal(kept(t, `cameras: { ${one}, yard: { source: demo, labels: all } }`), null);
  t.equal(wantedLabelsOf(configOf(t, 'cameras: { front: { source: demo } }'), ['cat']), null);
  t.same(kept(t, `cameras: { ${one} }`), [2]);
  t.end();
});

t.test('what every camera names, a disabled one among them', (t) => {
  const cameras =
    'front: { source: demo, labels: [cat, car] }, yard: { source: demo, enabled: false, labels: [dog] }';
  t.same(kept(t, `cameras: { ${cameras} }`), [2, 4, 5], 'under its short name');
  t.end();
});

t.test('groups are their members, wherever they are named', (t) => {
  const groups = 'presence: { groups: { pet: [cat, dog], traffic: [car, bus] } }\n';
  t.same(kept(t, `${groups}cameras: { a: { source: demo, labels: [pet] } }`), [2, 4]);
  const zone = 'zones: { way: { area: [[0, 0], [1, 0], [1, 1]], labels: [traffic] } }';
  t.same(
    kept(t, `${groups}cameras: { a: { source: demo, labels: [cat, traffic], ${zone} } }`),
    [2, 5, 6],
  );
  t.end();
});

t.test('rules, the second network, and what was taught of objects', (t) => {
  const camera = 'cameras: { a: { source: demo, labels: [cat] } }\n';
  const rule = 'notify: { r: { when: { label: [dog] }, to: { command: { run: [/bin/true] } } } }';
  t.same(kept(t, `${camera}${rule}`), [2, 4]);
  t.same(kept(t, `${camera}model: { second: { name: x, of: [person] } }`), [1, 2]);
  t.same(kept(t, camera, ['bus']), [2, 6]);
  t.end();
});

t.test('all are computed where nothing else can be', (t) => {
  const camera = 'cameras: { a: { source: demo, labels: [cat] } }';
  const others = 'cameras: { a: { source: demo, labels: [zebra] } }';
  t.equal(kept(t, others), null, 'no name is known');
  t.equal(kept(t, 'cameras: { a: { source: demo, labels: [person, cat, dog, car, bus] } }'), null);
  t.equal(kept(t, camera, [], variantNamed('net')), null, 'a classifier');
  const suppression = { maxDetections: 10, maxClassesPerBox: 1, overlap: 0.6, leastScore: 0 };
  const fast: Variant = { ...DETECTOR, head: { ...HEAD, suppression } };
  t.equal(kept(t, camera, [], fast), null, 'classes suppress each other');
  const apart = {
    ...DETECTOR,
    head: { ...HEAD, suppression: { ...suppression, maxClassesPerBox: null } },
  };
  t.same(kept(t, camera, [], apart), null, 'classes share the places of what is found');
  const plain: Variant = { ...DETECTOR, head: { ...HEAD, background: false } };
  t.same(kept(t, 'cameras: { a: { source: demo, labels: [background] } }', [], plain), [0]);
  t.end();
});
