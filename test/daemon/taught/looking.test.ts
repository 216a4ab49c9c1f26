import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { lookingIn, objectHeads } from '#mobilenetd/daemon/taught/looking.js';
import { taskToRecord } from '#mobilenetd/daemon/taught/record-order.js';
import { sortLabels } from '#mobilenetd/daemon/taught/usable.js';
import { type TaughtTask, taskName, taskOf } from '#mobilenetd/taught/task.js';
import { createHead, type Head } from '#mobilenetd/teach/head.js';
import { variantNamed } from '../../taught/color-engine.js';

const VARIANT = { ...variantNamed('net'), labels: ['background', 'cat'] };
const FRONT = taskOf({ camera: 'front' });

/** A head that tells all of its labels of whatever it is shown, the later ones surer. */
function headOf(labels: readonly string[]): Head {
  return createHead({
    centre: new Float32Array(2),
    sigmoid: { slope: -1, offset: 0 },
    classes: labels.map((label, index) => ({
      ...{ label, weights: new Float32Array(2), bias: index + 1, threshold: 0.5 + index / 10 },
    })),
  });
}

function heads(own: ReadonlyMap<string, readonly string[]>) {
  return {
    headsOf: (name: string) => new Map([['net', headOf(own.get(name) ?? [])]]),
  };
}

function configOf(folder: string) {
  const file = join(folder, 'c.yaml');
  const area = '[[0, 0], [1, 0], [1, 1]]';
  writeFileSync(
    file,
    `cameras: { front: { source: demo, zones: { gate: { area: ${area} } } }, yard: { source: demo } }`,
  );
  return loadConfig({ env: {}, systemFile: '/none', files: [file] }).config;
}

function countsOf(task: TaughtTask, labels: readonly string[]) {
  return { task, labels: labels.map((label) => ({ label, pictures: 5 })), others: 0, crops: [] };
}

t.test('a label that cannot be told is not told by the head that it shares with others', (t) => {
  const config = configOf(t.testdir());
  const all = ['cat', 'gate', 'spoon', 'gate_open', 'gate open', 'labels'];
  const { usable, unusable } = sortLabels([countsOf(FRONT, all)], config, VARIANT);
  t.same(
    unusable.map(({ label }) => label),
    ['cat', 'gate', 'gate_open', 'labels'],
  );
  const told = { labels: usable, heads: heads(new Map([[taskName(FRONT), all]])) };
  const [looking] = lookingIn('front', told, config);
  const head = looking?.heads.get('net');
  t.same(head?.labels, ['spoon', 'gate open']);
  t.same(
    [...(head?.thresholds ?? [])].map((each) => Math.round(10 * each)),
    [7, 9],
  );
  const probabilities = head?.probabilities(new Float32Array(2)) ?? [];
  t.same(
    [...probabilities].map((each) => each.toFixed(3)),
    ['0.953', '0.993'],
  );
  t.end();
});

t.test('objects are told by names alone that can be told', (t) => {
  const cats = taskOf({ of: ['cat'] });
  const labels = [{ label: 'Minka', task: cats }];
  const told = { labels, heads: heads(new Map([[taskName(cats), ['Minka', 'Felix']]])) };
  t.same(
    objectHeads('front', told, ['cat'], 'net').map((head) => head.labels),
    [['Minka']],
  );
  t.same(objectHeads('front', told, ['dog'], 'net'), []);
  t.end();
});

t.test('neither a label nor the opposite is recorded of a place that is not there', (t) => {
  const config = configOf(t.testdir());
  const around = {
    ...{ config, model: { variant: VARIANT } },
    cameras: { list: () => [{ name: 'front' }, { name: 'yard' }] },
  };
  const order = { camera: 'yard', zone: null, of: null, seconds: 1 };
  const invalid = { code: 'MND_TEACH_INVALID' };
  t.same(taskToRecord({ ...order, label: null }, around, []), taskOf({ camera: 'yard' }));
  for (const label of ['open', null]) {
    t.throws(() => taskToRecord({ ...order, label, zone: 'gate' }, around, []), invalid);
    t.throws(() => taskToRecord({ ...order, label, of: ['cat'] }, around, []), invalid);
    t.throws(() => taskToRecord({ ...order, label, camera: 'back' }, around, []), {
      code: 'MND_INPUT_MISSING',
    });
  }
  const taught = [{ label: 'gate open', task: taskOf({}) }];
  t.throws(() => taskToRecord({ ...order, label: 'gate/open' }, around, taught), invalid);
  t.end();
});
