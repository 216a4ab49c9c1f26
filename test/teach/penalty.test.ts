import t from 'tap';
import type { Head } from '#mobilenetd/teach/head.js';
import { CHOSEN_SHARE } from '#mobilenetd/teach/limits.js';
import { choosePenalty, choosePenaltyAlone, PENALTIES } from '#mobilenetd/teach/penalty.js';
import { fitRidge } from '#mobilenetd/teach/ridge.js';
import { type Rows, rowsOf } from '#mobilenetd/teach/rows.js';
import { createSpace, meanOf } from '#mobilenetd/teach/space.js';
import { trainHead } from '#mobilenetd/teach/train.js';
import { normal, random, scattered } from './things.js';

const DIMENSION = 32;
const ROUNDS = 12;

/** A label among unrelated pictures, which spread in few directions, as embeddings of a network do. */
function rowsAlone(seed: number): Rows {
  const next = random(seed);
  const anywhere = () =>
    Float32Array.from({ length: DIMENSION }, (_, k) => normal(next) / (k + 1) ** 1.5);
  const place = anywhere();
  const examples = Array.from({ length: 6 }, (_, k) => {
    const away = anywhere();
    return {
      label: 'cup',
      embedding: place.map((value, at) => value + 0.5 * (away[at] as number)),
      id: `${k}`,
    };
  });
  const negatives = Array.from({ length: 120 }, anywhere);
  return rowsOf(['cup'], examples, negatives, createSpace(meanOf(negatives, DIMENSION)));
}

const kinds = ({ groups }: Rows) => ({
  own: (row: number) => groups[row] === 0,
  unrelated: (row: number) => (groups[row] as number) > 1,
});

/** Own pictures over the highest unrelated one when each is left out, as a part of the way between the means. */
function clearance(rows: Rows, penalty: number): number {
  const [told = new Float64Array()] = fitRidge(rows, penalty).leftOut;
  const [ours, foreign] = [0, 2].map((group) =>
    told.filter((_, row) => rows.groups[row] === group),
  );
  const mean = (values = new Float64Array()) =>
    values.reduce((sum, value) => sum + value / values.length, 0);
  return (mean(ours) - Math.max(...(foreign ?? []))) / (mean(ours) - mean(foreign));
}

t.test('the penalty of a label alone puts its pictures over what unrelated ones are told', (t) => {
  let [alone, squares] = [0, 0];
  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    const rows = rowsAlone(seed);
    const chosen = choosePenaltyAlone(rows, kinds(rows), CHOSEN_SHARE);
    t.ok(PENALTIES.includes(chosen), `${chosen}`);
    alone += clearance(rows, chosen) / ROUNDS;
    squares +=
      clearance(
        rows,
        choosePenalty(rows, () => true),
      ) / 20;
  }
  t.ok(alone > squares + 0.05, `${alone}, by squared errors ${squares}`);
  t.end();
});

/** Share of further pictures that are told. */
function told(head: Head, pictures: readonly Float32Array[]): number {
  const [threshold = 1] = head.thresholds;
  const passes = (picture: Float32Array) => (head.probabilities(picture)[0] ?? 0) >= threshold;
  return pictures.filter(passes).length / pictures.length;
}

t.test('more pictures of a label alone are told with more examples', (t) => {
  const recalls = [3, 6, 12, 24].map((each) => {
    let recall = 0;
    for (let seed = 1; seed <= 10; seed += 1) {
      const { examples, negatives, more } = scattered({
        ...{ labels: ['cup'], each, negatives: 200, dimension: DIMENSION, spread: 1.2, seed },
      });
      const { head } = trainHead(examples, negatives);
      recall +=
        told(
          head,
          Array.from({ length: 50 }, () => more('cup')),
        ) / 10;
    }
    return recall;
  });
  for (const [k, recall] of recalls.entries()) {
    if (k > 0) t.ok(recall > (recalls[k - 1] as number), `${recalls}`);
  }
  t.end();
});

t.test('what was said to be none of these does not pass for a label that is near it', (t) => {
  const next = random(5);
  const { examples, negatives, more } = scattered({
    ...{ labels: ['cup'], each: 15, negatives: 400, dimension: 128, spread: 0.3, seed: 3 },
  });
  const place = more('cup').map((value) => value + 0.4 * normal(next));
  const alike = () => place.map((value) => value + 0.3 * normal(next));
  const opposite = Array.from({ length: 15 }, (_, k) => {
    return { label: null, embedding: alike(), id: `other-${k}` };
  });
  const [before, after] = [examples, [...examples, ...opposite]].map((all) => {
    const { head } = trainHead(all, negatives);
    const cups = Array.from({ length: 100 }, () => more('cup'));
    return { cups: told(head, cups), alike: told(head, Array.from({ length: 100 }, alike)) };
  });
  t.ok((before?.alike ?? 0) > 0.3, `${before?.alike}: taken for it as long as nothing is said`);
  t.ok((after?.alike ?? 1) < 0.05, `${after?.alike}`);
  t.ok((after?.cups ?? 0) > 0.5, `${after?.cups}`);
  t.end();
});
