import t from 'tap';
import { type Answers, compareAnswers } from '#mobilenetd/inference/agreement.js';
import type { Box, ScoredLabel } from '#mobilenetd/inference/result.js';

const label = (index: number, score: number, box: Box | null = null): ScoredLabel => ({
  index,
  label: `label ${index}`,
  score,
  box,
});

const labels = (...scores: readonly (readonly [number, number])[]): Answers =>
  scores.map(([index, score]) => label(index, score));

t.test('a reference agrees with itself', async (t) => {
  const answers = [labels([1, 0.9], [2, 0.1]), labels([3, 0.4], [4, 0.35]), []];
  t.strictSame(compareAnswers(answers, answers), {
    pictures: 3,
    decisive: 1,
    matched: 1,
    extra: 0,
    scoreChange: 0,
    agrees: true,
  });
});

t.test('only a clear first label counts; one may differ', async (t) => {
  const sure = Array.from({ length: 5 }, () => labels([1, 0.6], [2, 0.3]));
  const turned = labels([2, 0.5], [1, 0.48]);
  const close = labels([1, 0.4], [2, 0.38]);
  t.match(compareAnswers([close], [labels([2, 0.4], [1, 0.38])]), { decisive: 0, agrees: true });
  t.match(compareAnswers(sure, [turned, ...sure.slice(1)]), { matched: 4, agrees: true });
  t.match(compareAnswers(sure, [turned, turned, ...sure.slice(2)]), {
    matched: 3,
    agrees: false,
  });
});

t.test('the same labels with other scores are other answers', async (t) => {
  const expected = [labels([1, 0.9], [2, 0.05])];
  t.match(compareAnswers(expected, [labels([1, 0.86], [2, 0.05])]), { agrees: true });
  t.match(compareAnswers(expected, [labels([1, 0.8], [2, 0.05])]), { matched: 1, agrees: false });
  const gone = compareAnswers([labels([1, 0.3], [2, 0.25])], [labels([7, 0.2], [8, 0.1])]);
  t.ok(Math.abs(gone.scoreChange - 0.2) < 1e-9 && !gone.agrees, 'at least what it fell by');
});

t.test('objects are matched by class and place', async (t) => {
  const objects = (count: number, shift = 0, score = 0.8): Answers =>
    Array.from({ length: count }, (_, at) => label(3, score, [at * 100 + shift, 0, 50, 50]));
  t.match(compareAnswers([objects(3)], [objects(3, 5)]), {
    decisive: 3,
    matched: 3,
    extra: 0,
    agrees: true,
  });
  t.match(compareAnswers([objects(3)], [objects(3, 40)]), { matched: 0, extra: 3, agrees: false });
  t.match(compareAnswers([objects(3)], [objects(2)]), { matched: 2, agrees: true });
  t.match(compareAnswers([objects(3)], [objects(1)]), { matched: 1, agrees: false });
  t.match(compareAnswers([objects(1)], [objects(4)]), { extra: 3, agrees: false });
  const other = [label(4, 0.8, [0, 0, 50, 50])];
  t.match(compareAnswers([objects(1)], [other]), { matched: 0, extra: 1 });
  // A sure object may become a faint one, and a faint one may come: the score change counts.
  t.match(compareAnswers([objects(1, 0, 0.52)], [objects(1, 0, 0.48)]), { matched: 1, extra: 0 });
  t.match(compareAnswers([[]], [objects(1, 0, 0.45)]), { decisive: 0, extra: 0, agrees: true });
});
