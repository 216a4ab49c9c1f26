import t from 'tap';
import { advice } from '#mobilenetd/teach/advice.js';
import { nearDuplicate } from '#mobilenetd/teach/duplicate.js';
import { rungQuality } from '#mobilenetd/teach/quality.js';
import { trainHead } from '#mobilenetd/teach/train.js';
import { scattered } from './things.js';

const codes = (...input: Parameters<typeof advice>) => advice(...input).map(({ code }) => code);

t.test('what to do next depends on what there is', (t) => {
  const many = new Map([['cup', 20]]);
  t.same(codes({ counts: new Map([['cup', 1]]), others: 0 }), ['too_few', 'no_opposite']);
  t.same(codes({ counts: many, others: 30 }), [], 'nothing is good that was not measured');
  const { examples, negatives } = scattered({
    labels: ['cup'],
    each: 20,
    negatives: 80,
    spread: 0.1,
  });
  const { report } = trainHead(examples, negatives);
  t.same(codes({ counts: many, others: 30, report }), ['good']);
  t.same(codes({ counts: many, others: 1 }), ['no_opposite']);
  const uneven = new Map([
    ['cup', 30],
    ['bin', 9],
  ]);
  t.same(codes({ counts: uneven, others: 30 }), ['imbalance']);
  t.same(
    codes({
      counts: new Map([
        ['cup', 27],
        ['bin', 9],
      ]),
      others: 30,
    }),
    [],
  );
  const sizes = new Map([['cup', 79]]);
  t.same(codes({ counts: many, others: 30, sizes }), ['small_crops']);
  const [one] = advice({ counts: many, others: 1 });
  t.match(one?.text, /^There is one picture without/);
  const [none] = advice({ counts: many, others: 0 });
  t.match(none?.text, /^There are no pictures without/);
  t.end();
});

t.test('labels that are taken for each other are named', (t) => {
  const { examples, negatives } = scattered({ labels: ['cup'], each: 16, negatives: 60 });
  // The same thing under two names.
  const twice = examples.map((example, k) => ({ ...example, label: k % 2 === 0 ? 'cup' : 'mug' }));
  const { report } = trainHead(twice, negatives);
  const counts = new Map([
    ['cup', 8],
    ['mug', 8],
  ]);
  const found = advice({ counts, others: 30, report });
  t.ok(found.length > 0 && found.every(({ code }) => code === 'confused' || code === 'weak'));
  t.ok(found.some(({ code, text }) => code === 'confused' && /more like (cup|mug)/.test(text)));
  t.end();
});

t.test('a rung is worth what its labels are recalled', (t) => {
  const near = scattered({ labels: ['a', 'b'], each: 10, negatives: 80, spread: 0.2 });
  const far = scattered({ labels: ['a', 'b'], each: 10, negatives: 80, spread: 3 });
  const [good, poor] = [near, far].map(({ examples, negatives }) =>
    rungQuality(examples, negatives),
  );
  t.ok((good?.quality ?? 0) > 0.95, `${good?.quality}`);
  t.ok((poor?.quality ?? 1) < 0.7, `${poor?.quality}`);
  t.equal(
    rungQuality(near.examples.slice(0, 1), near.negatives).quality,
    null,
    'one picture says nothing',
  );
  t.end();
});

t.test('near duplicates are found by their angle', (t) => {
  const a = Float32Array.of(1, 2, 3);
  t.ok(nearDuplicate(a, [Float32Array.of(0, 0, 1), Float32Array.of(2, 4, 6)]));
  t.notOk(nearDuplicate(a, [Float32Array.of(3, 2, 1), Float32Array.of(0, 0, 0)]));
  t.notOk(nearDuplicate(a, []));
  t.end();
});

t.test('a picture of the opposite that silences a label is named', (t) => {
  const { examples, negatives, more } = scattered({
    ...{ labels: ['cup', 'plate'], each: 12, negatives: 300, spread: 0.3 },
  });
  const ofCup = examples.filter(({ label }) => label === 'cup');
  // What looks alike, as the opposite: told apart from a cup.
  const plates = examples.filter(({ label }) => label === 'plate');
  const opposite = plates.map((each) => ({ ...each, label: null }));
  const held = (others: typeof opposite) =>
    trainHead([...ofCup, ...others], negatives).report.labels[0];
  t.match(held(opposite), { recall: 1, heldBack: null });
  // A cup that was recorded as the opposite.
  const wrong = { label: null, embedding: more('cup'), id: 'wrong' };
  const silenced = held([...opposite, wrong]);
  t.ok((silenced?.recall ?? 1) < 0.5, `${silenced?.recall}`);
  t.equal(silenced?.heldBack?.id, 'wrong');
  t.ok((silenced?.heldBack?.recall ?? 0) > 0.9);
  const { report } = trainHead([...ofCup, ...opposite, wrong], negatives);
  const counts = new Map([['cup', 12]]);
  const said = advice({ counts, others: 30, report });
  t.match(said, [{ code: 'held_back', label: 'cup', text: /one picture of the opposite/ }]);
  // Two of them: neither is to blame alone.
  const another = { label: null, embedding: more('cup'), id: 'another' };
  const two = held([...opposite, wrong, another]);
  t.ok(two?.heldBack === null || ['wrong', 'another'].includes(two?.heldBack?.id ?? ''));
  t.equal(held([wrong])?.heldBack?.id ?? 'wrong', 'wrong');
  t.end();
});
