import t from 'tap';
import { expectedShare } from '#mobilenetd/teach/learning-curve.js';

/** Trials of a label of some pictures, so many of a hundred right with one less, and with two less. */
function trials(pictures: number, right: number, oneLess: number) {
  return Array.from({ length: 100 }, (_, k) => ({
    pictures,
    isRight: k < right,
    oneLess: k < oneLess ? 1 : 0,
  }));
}

t.test('what falls as one by the number of pictures is continued to all of them', (t) => {
  for (const pictures of [3, 5, 10, 20]) {
    const shareOf = (count: number) => 90 - 60 / count;
    const part = (count: number) => Math.round(100 * shareOf(count)) / 100;
    // Shares of hundredths of a trial would need ten thousand trials: a trial may be right in part.
    const given = Array.from({ length: 100 }, (_, k) => ({
      pictures,
      isRight: k < Math.round(part(pictures - 1)),
      oneLess: part(pictures - 2) / 100,
    }));
    const share = expectedShare(given) as number;
    t.ok(Math.abs(100 * share - shareOf(pictures)) < 1, `${pictures}: ${share}`);
  }
  t.end();
});

t.test('where pictures teach nothing, nothing is added', (t) => {
  t.equal(expectedShare(trials(5, 10, 10)), 0.1);
  t.equal(expectedShare(trials(20, 50, 50)), 0.5);
  t.end();
});

t.test('it stays a share, and few pictures are as they were counted', (t) => {
  t.equal(expectedShare([]), null);
  t.equal(expectedShare(trials(20, 100, 0)), 1);
  t.equal(expectedShare(trials(20, 0, 100)), 0);
  const two = trials(2, 60, 0).map((trial) => ({ ...trial, oneLess: null }));
  t.equal(expectedShare(two), 0.6);
  t.end();
});
