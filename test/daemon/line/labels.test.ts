import t from 'tap';
import { keepLabels, shortName } from '#mobilenetd/daemon/line/labels.js';

const scored = (label: string, score: number) => ({ index: 1, label, score, box: null });

t.test('a class goes by the first of its names', async (t) => {
  t.equal(shortName('tench, Tinca tinca'), 'tench');
  t.equal(shortName('stop sign'), 'stop sign');
  t.equal(shortName(''), '');
});

t.test('labels without a name, or not kept, are dropped', async (t) => {
  const labels = [scored('crane, bird', 0.9), scored('', 0.8), scored('dog', 0.7)];
  t.same(
    keepLabels(labels, null).map(({ label }) => label),
    ['crane', 'dog'],
  );
  t.same(
    keepLabels(labels, new Set(['dog'])).map(({ label, score }) => [label, score]),
    [['dog', 0.7]],
  );
});
