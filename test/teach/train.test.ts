import t from 'tap';
import { namedLabel } from '#mobilenetd/teach/head.js';
import { headFromJson, headToJson } from '#mobilenetd/teach/serialise.js';
import { MAX_EXAMPLES, trainHead } from '#mobilenetd/teach/train.js';
import { scattered } from './things.js';

t.test('new pictures of taught labels are named, others are not', (t) => {
  const { examples, negatives, more } = scattered({
    labels: ['cup', 'bin', 'gate'],
    each: 8,
    negatives: 300,
  });
  const { head, report } = trainHead(examples, negatives);
  t.same(head.labels, ['bin', 'cup', 'gate']);
  t.equal(head.dimension, 32);
  let named = 0;
  for (const label of head.labels) {
    for (let k = 0; k < 50; k += 1) {
      if (namedLabel(head, head.probabilities(more(label))) === label) named += 1;
    }
  }
  t.ok(named >= 100, `${named} of 150`);
  const foreign = scattered({ labels: ['x'], each: 1, negatives: 2000, seed: 77 }).negatives;
  const passed = foreign.filter((e) => namedLabel(head, head.probabilities(e)) !== null).length;
  t.ok(passed <= 4, `${passed} of 2000: one in a thousand at most`);
  t.ok((report.accuracy ?? 0) > 0.95);
  t.equal(report.falseAccepts, 0);
  t.end();
});

t.test('the report says what new pictures will come to, though each was left out', (t) => {
  const labels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const [rounds, fresh] = [40, 10];
  let [right, said, leftOut] = [0, 0, 0];
  for (let seed = 1; seed <= rounds; seed += 1) {
    const { examples, negatives, more } = scattered({
      ...{ labels, each: 4, negatives: 40, dimension: 16, spread: 1.2, seed },
    });
    const { head, report } = trainHead(examples, negatives);
    said += (report.accuracy ?? 0) / rounds;
    leftOut += (report.leftOut ?? 0) / rounds;
    for (const label of labels) {
      for (let k = 0; k < fresh; k += 1) {
        const told = head.probabilities(more(label));
        const best = head.labels[told.indexOf(Math.max(...told))];
        if (best === label) right += 1 / (rounds * labels.length * fresh);
      }
    }
  }
  t.ok(right > 0.5 && right < 0.95, `${right}: neither easy nor hopeless`);
  t.ok(Math.abs(said - right) < 0.02, `${said} said, ${right} right`);
  t.ok(leftOut < right - 0.02, `${leftOut}: of one picture less it is worth less`);
  t.end();
});

t.test('the same examples give the same head', (t) => {
  const { examples, negatives } = scattered({ labels: ['a', 'b'], each: 5, negatives: 40 });
  t.same(trainHead(examples, negatives), trainHead(examples, negatives));
  t.end();
});

t.test('a head outlives being written', (t) => {
  const { examples, negatives, more } = scattered({ labels: ['a', 'b'], each: 5, negatives: 40 });
  const { head } = trainHead(examples, negatives);
  const text = headToJson(head);
  const read = headFromJson(text);
  t.same(read.labels, head.labels);
  t.same(read.thresholds, head.thresholds);
  for (const label of head.labels) {
    const embedding = more(label);
    t.same(read.probabilities(embedding), head.probabilities(embedding));
  }
  t.equal(headToJson(read), text);
  const broken = [
    '',
    '{',
    '[]',
    '{}',
    text.slice(0, -3),
    text.replace('"version":1', '"version":2'),
    text.replace('"b"', '"a"'),
    text.replace(/"bias":[^,]*/, '"bias":null'),
    text.replace(/"weights":\[[^,]*,/, '"weights":['),
    text.replace(/"slope":-/, '"slope":'),
    text.replace(/"classes":.*\]/, '"classes":[]'),
  ];
  for (const damaged of broken) {
    t.throws(() => headFromJson(damaged), { code: 'MND_TEACH_INVALID' }, damaged.slice(0, 60));
  }
  t.end();
});

t.test('what cannot be taught is said with a code', (t) => {
  const { examples, negatives } = scattered({ labels: ['a'], each: 3, negatives: 10 });
  const [first] = examples;
  const broken = Float32Array.from(first?.embedding ?? [], (v, k) => (k === 3 ? Number.NaN : v));
  const short = (first?.embedding ?? new Float32Array()).slice(1);
  const other = { label: 'b', embedding: broken, id: 'b-1' };
  const refused: readonly (readonly [string, () => unknown])[] = [
    ['nothing', () => trainHead([], negatives)],
    [
      'no label',
      () =>
        trainHead(
          examples.map((e) => ({ ...e, label: null })),
          negatives,
        ),
    ],
    ['NaN in an example', () => trainHead([...examples, other], negatives)],
    ['NaN in a negative', () => trainHead(examples, [...negatives, broken])],
    [
      'another dimension',
      () => trainHead([...examples, { label: 'b', embedding: short }], negatives),
    ],
    ['a negative of another dimension', () => trainHead(examples, [short])],
    ['empty embeddings', () => trainHead([{ label: 'a', embedding: new Float32Array() }], [])],
    [
      'an infinite value',
      () =>
        trainHead(examples, negatives).head.probabilities(broken.fill(Number.POSITIVE_INFINITY)),
    ],
    [
      'one too many',
      () =>
        trainHead(
          new Array(MAX_EXAMPLES + 1).fill({ label: 'a', embedding: Float32Array.of(1) }),
          [],
        ),
    ],
  ];
  for (const [what, call] of refused) t.throws(call, { code: 'MND_TEACH_INVALID' }, what);
  t.end();
});

t.test('the least that can be taught still gives probabilities', (t) => {
  const { examples, negatives } = scattered({ labels: ['a', 'b'], each: 4, negatives: 200 });
  const one = examples.slice(0, 1);
  const same = examples
    .slice(0, 4)
    .map((example) => ({ ...example, embedding: Float32Array.of(1, 2, 3) }));
  const cases = {
    'one picture, no negatives': trainHead(one, []),
    'one picture': trainHead(one, negatives),
    'one picture a label': trainHead([...one, ...examples.slice(4, 5)], negatives),
    'one label': trainHead(examples.slice(0, 4), negatives),
    'one label, no negatives': trainHead(examples.slice(0, 4), []),
    'equal pictures': trainHead(same, []),
    'equal pictures of two labels': trainHead(
      [...same, ...same.map((e) => ({ ...e, label: 'b' }))],
      [],
    ),
    'nothing but zeros': trainHead(
      [{ label: 'a', embedding: new Float32Array(4) }],
      [new Float32Array(4)],
    ),
  };
  for (const [what, { head, report }] of Object.entries(cases)) {
    const told = head.probabilities(new Float32Array(head.dimension).fill(0.3));
    t.ok(
      told.every((p) => p >= 0 && p <= 1),
      what,
    );
    t.ok(
      head.thresholds.every((p) => p >= 0 && p <= 1),
      what,
    );
    t.same(headFromJson(headToJson(head)).labels, head.labels, what);
    t.ok(
      report.labels.every(({ recall }) => recall === null || (recall >= 0 && recall <= 1)),
      what,
    );
  }
  t.equal(
    cases['one picture'].report.accuracy,
    null,
    'nothing is known by leaving out the only one',
  );
  const [label] = one;
  const { head } = cases['one picture'];
  t.ok(
    (head.probabilities(label?.embedding as Float32Array)[0] as number) >
      (head.thresholds[0] as number),
  );
  t.end();
});

t.test('two thousand pictures are taught as ten are', (t) => {
  const { examples, negatives, more } = scattered({
    labels: ['a', 'b', 'c', 'd'],
    each: MAX_EXAMPLES / 4,
    negatives: 500,
  });
  const { head, report } = trainHead(examples, negatives);
  t.equal(report.examples, MAX_EXAMPLES);
  t.ok((report.accuracy ?? 0) > 0.95);
  for (const label of head.labels)
    t.ok(head.probabilities(more(label)).every((p) => p >= 0 && p <= 1));
  t.end();
});

t.test('what looks alike is kept apart when it is shown as none of these', (t) => {
  const { examples, negatives, more } = scattered({
    labels: ['cup', 'other cup'],
    each: 20,
    negatives: 100,
    spread: 0.3,
  });
  const own = examples.filter(({ label }) => label === 'cup');
  const others = examples.filter(({ label }) => label === 'other cup');
  const shown = others.map((example) => ({ ...example, label: null }));
  const { head, report } = trainHead([...own, ...shown], negatives);
  t.equal(report.others, 20);
  let wrong = 0;
  for (let k = 0; k < 50; k += 1) {
    if (namedLabel(head, head.probabilities(more('other cup'))) !== null) wrong += 1;
  }
  t.equal(wrong, 0);
  t.equal(namedLabel(head, head.probabilities(more('cup'))), 'cup');
  t.end();
});
