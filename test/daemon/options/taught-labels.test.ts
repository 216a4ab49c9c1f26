import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import {
  announcedLabels,
  labelRulesOf,
  possibleLabelsOf,
} from '#mobilenetd/daemon/options/label-rules.js';
import {
  requireTellable,
  taughtFault,
  twinFault,
} from '#mobilenetd/daemon/options/taught-faults.js';
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
    t.match(fault('Minka', { of: ['cat'] }), /net names whole pictures and finds no objects/);
    const finds = { ...VARIANT, task: 'detect' as const };
    const ofObjects = (of: string[]) =>
      taughtFault({ label: 'cat', task: taskOf({ of }) }, config, finds);
    t.equal(ofObjects(['cat']), null, 'a sub label has no topic');
    t.equal(ofObjects(['horse', 'cat']), null, 'one of them is enough');
    t.match(ofObjects(['horse']), /net finds no horse/);
    t.match(fault('cat', {}), /net has a label of that name/);
    t.match(
      fault('wild_dog', {}),
      /net has a label of that name/,
      'nor one that becomes the same topic',
    );
    t.match(fault('pet', {}), /a group/);
    t.match(fault('snapshot', {}), /another meaning/);
    t.match(fault('gate', { camera: 'front' }), /topic is that of zone gate of camera front/);
    t.equal(fault('gate', { camera: 'yard' }), null);
    t.match(fault('open', { camera: 'back' }), /no camera back/);
    t.match(fault('open', { camera: 'yard', zone: 'gate' }), /no zone gate/);
    t.end();
  },
);

t.test('of two labels that share a topic of a camera one is in the way', (t) => {
  const twin = (label: string, place: Parameters<typeof taskOf>[0]) =>
    twinFault({ label, task: taskOf(place) }, TAUGHT);
  t.match(twin('gate_open', { camera: 'front' }), /topic is that of "gate open"/);
  t.match(twin('gate/open', {}), /topic is that of "gate open"/, 'any camera is that one as well');
  t.match(twin('bin out\u200b', { camera: 'yard' }), /"bin out"/, 'what cannot be seen');
  t.equal(twin('gate_open', { camera: 'yard' }), null, 'another camera has topics of its own');
  t.equal(twin('gate_open', { of: ['cat'] }), null, 'a sub label has no topic');
  t.equal(twin('gate open', { camera: 'front', zone: 'gate' }), null, 'the same label');
  t.end();
});

t.test('what could never be told is refused before a picture is taken', (t) => {
  const config = configOf(t.testdir());
  const refusal = (label: string | null, place: Parameters<typeof taskOf>[0]) => {
    const by = { config, variant: VARIANT, taught: TAUGHT };
    try {
      requireTellable({ label, task: taskOf(place) }, by);
      return null;
    } catch (error) {
      return error;
    }
  };
  const code = 'MND_TEACH_INVALID';
  t.equal(refusal('spoon', { camera: 'front', zone: 'gate' }), null);
  t.equal(refusal(null, { camera: 'front', zone: 'gate' }), null);
  t.match(refusal(null, { camera: 'front', zone: 'door' }), {
    ...{ code, message: /no zone door/ },
  });
  t.match(refusal(null, { camera: 'back' }), { code, message: /no camera back/ });
  t.match(refusal(null, { of: ['cat'] }), { code, message: /finds no objects/ });
  t.match(refusal('cat', {}), { code, message: /label of that name.*another name/ });
  t.match(refusal('gate-open', { camera: 'front' }), null);
  t.match(refusal('gate_open', { camera: 'front' }), { code, message: /that of "gate open"/ });
  t.end();
});
