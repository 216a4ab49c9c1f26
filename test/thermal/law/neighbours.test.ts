import t from 'tap';
import { createNeighbours } from '#mobilenetd/thermal/law/neighbours.js';

/** Visits of `load` for `onS` of every `periodS`, for so long; ends at the start of a rest. */
function visited(
  load: number,
  onS: number,
  periodS: number,
  times: number,
  offsetAt = (_: number) => 40,
) {
  const neighbours = createNeighbours();
  for (let s = 0; s < 60; s += 1) neighbours.update(0.02, 40, 1);
  for (let n = 0; n < times; n += 1) {
    for (let s = 0; s < onS; s += 1) neighbours.update(load, offsetAt(s), 1);
    for (let s = onS; s < periodS; s += 1) neighbours.update(0.02, 40, 1);
  }
  return neighbours;
}

t.test('alone: nothing is expected, nothing is feared', (t) => {
  const neighbours = visited(0.5, 0, 0, 0);
  t.equal(neighbours.worst(), null);
  t.ok(neighbours.expected().thenLoad < 0.05);
  t.notOk(neighbours.visited);
  t.end();
});

t.test('a step is followed at once, noise is smoothed', (t) => {
  const neighbours = visited(0.5, 0, 0, 0);
  neighbours.update(0.6, 40, 1);
  t.ok(neighbours.stepped && neighbours.visited);
  t.equal(neighbours.now, 0.6);
  neighbours.update(0.64, 40, 1);
  t.notOk(neighbours.stepped);
  t.ok(Math.abs(neighbours.now - 0.61) < 1e-9);
  neighbours.update(0.02, 40, 1);
  t.ok(neighbours.stepped && !neighbours.visited);
  t.end();
});

t.test('who comes and goes is expected to: how much, for how long, how often', (t) => {
  const neighbours = visited(0.7, 50, 130, 5);
  const worst = neighbours.worst();
  t.ok(Math.abs((worst?.load ?? 0) - 0.7) < 0.02, `${worst?.load}`);
  t.ok(Math.abs((worst?.forS ?? 0) - 50) <= 1, `${worst?.forS}`);
  t.ok(Math.abs(neighbours.expected().thenLoad - (0.7 * 50) / 130) < 0.05, 'the mean');
  for (let s = 0; s < 20; s += 1) neighbours.update(0.7, 40, 1);
  t.ok(Math.abs(neighbours.expected().forS - 30) <= 1, `${neighbours.expected().forS} s left`);
  t.end();
});

t.test('one visit is no habit, and what stays is the new rest', (t) => {
  const once = visited(0.7, 200, 260, 1);
  t.equal(once.worst()?.forS, 45);
  t.ok(once.expected().thenLoad < 0.05, 'it is not counted on to come back');
  const first = visited(0.5, 0, 0, 0);
  for (let s = 0; s < 10; s += 1) first.update(0.7, 40, 1);
  t.equal(first.expected().forS, 30);
  for (let s = 0; s < 90; s += 1) first.update(0.7, 40, 1);
  t.equal(first.expected().forS, 100, 'as long as it has lasted');
  for (let s = 0; s < 200; s += 1) first.update(0.7, 40, 1);
  t.ok(first.visited);
  t.ok(Math.abs(first.expected().thenLoad - 0.7) < 0.02, 'the new rest');
  for (let s = 0; s < 30; s += 1) first.update(0.02, 40, 1);
  t.ok(first.expected().thenLoad < 0.05, 'and when it ends, it has ended');
  t.end();
});

t.test('what a fan did in earlier visits is counted on, what came on top is not', (t) => {
  const cooled = visited(0.7, 50, 130, 4, (s) => 40 - s / 10);
  t.ok(Math.abs((cooled.worst()?.driftC ?? 0) + 4.9) < 0.2, `${cooled.worst()?.driftC}`);
  t.equal(visited(0.7, 50, 130, 4, (s) => 40 + s / 10).worst()?.driftC, 0);
  t.equal(visited(0.7, 50, 130, 4, () => Number.NaN).worst()?.driftC, 0);
  t.end();
});

t.test('visits are forgotten after 40 minutes', (t) => {
  const neighbours = visited(0.7, 50, 130, 4);
  for (let s = 0; s < 2400; s += 1) neighbours.update(0.02, 40, 1);
  t.equal(neighbours.worst(), null);
  t.end();
});
