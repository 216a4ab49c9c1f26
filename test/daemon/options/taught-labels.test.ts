import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import {
  announcedLabels,
  labelRulesOf,
  possibleLabelsOf,
  taughtFault,
} from '#mobilenetd/daemon/options/label-rules.js';
import { allTaughtLabels, taughtLabelsOf } from '#mobilenetd/daemon/options/taught-labels.js';
import { taskOf } from '#mobilenetd/taught/task.js';
import { variantNamed } from '../../taught/color-engine.js';

const VARIANT = { ...variantNamed('net'), labels: ['background', 'cat', 'wild dog'] };
const TAUGHT = [
  { label: 'gate open', task: taskOf({ camera: 'front' }) },
  { label: 'bin out', task: taskOf({}) },
  { label: 'Minka', task: taskOf({ of: ['cat'] }) },
];

function configOf(folder: string) {
  const file = join(folder, 'c.yaml');
  writeFileSync(
    file,
    `presence: { groups: { pet: [cat] } }
cameras:
  front: { source: demo, labels: [cat], zones: { gate: { area: [[0, 0], [1, 0], [1, 1]] } } }
  yard: { source: demo }
`,
  );
  return loadConfig({ env: {}, systemFile: '/none', files: [file] }).config;
}

t.test('taught labels are labels of their cameras, whatever else those keep', (t) => {
  const config = configOf(t.testdir());
  t.same(taughtLabelsOf(TAUGHT, 'front'), ['gate open', 'bin out']);
  t.same(taughtLabelsOf(TAUGHT, 'yard'), ['bin out']);
  t.same(allTaughtLabels(TAUGHT), ['gate open', 'bin out'], 'those of objects are sub labels');
  const announced = announcedLabels(config, VARIANT, TAUGHT);
  t.same(announced.get('front'), ['cat', 'gate open', 'bin out']);
  t.ok(announced.get('yard')?.includes('bin out') && announced.get('yard')?.includes('cat'));
  t.notOk(announced.get('yard')?.includes('gate open'));
  const rules = labelRulesOf(config, 'front', () => 'id', taughtLabelsOf(TAUGHT, 'front'));
  t.same([...(rules.labels ?? [])], ['cat', 'gate open', 'bin out']);
  t.same(rules.presenceOptions.stream.keep, ['cat', 'gate open', 'bin out']);
  t.equal(labelRulesOf(config, 'yard', () => 'id', ['bin out']).labels, null);
  t.ok(possibleLabelsOf(config, VARIANT, ['bin out']).has('bin out'));
  t.end();
});

t.test(
  'a label that would share a topic, or has no camera or zone, is never told, with why',
  (t) => {
    const config = configOf(t.testdir());
    const fault = (label: string, place: Parameters<typeof taskOf>[0]) =>
      taughtFault({ label, task: taskOf(place) }, config, VARIANT);
    t.equal(fault('gate open', { camera: 'front', zone: 'gate' }), null);
    t.equal(fault('cat', { of: ['cat'] }), null, 'a sub label has no topic');
    t.match(fault('cat', {}), /net has a label of that name/);
    t.match(
      fault('wild_dog', {}),
      /net has a label of that name/,
      'nor one that becomes the same topic',
    );
    t.match(fault('pet', {}), /a group/);
    t.match(fault('snapshot', {}), /another meaning/);
    t.match(fault('gate', { camera: 'front' }), /label "gate"/);
    t.equal(fault('gate', { camera: 'yard' }), null);
    t.match(fault('open', { camera: 'back' }), /no camera back/);
    t.match(fault('open', { camera: 'yard', zone: 'gate' }), /no zone gate/);
    t.end();
  },
);
