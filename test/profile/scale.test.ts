import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { createFrameRunner } from '#mobilenetd/inference/service.js';
import { createSessionPool } from '#mobilenetd/inference/sessions.js';
import { temperedScore, temperedShare } from '#mobilenetd/inference/temperature.js';
import type { ScoreKind, Variant } from '#mobilenetd/models/variant.js';
import { variedPictures } from '#mobilenetd/profile/pictures.js';
import {
  distanceOf,
  fitTemperature,
  measureScale,
  objectPairs,
  type ScorePair,
} from '#mobilenetd/profile/scale.js';
import { classifierVariant, detectorVariant } from '../inference/tiny-models.js';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-scale-'));
t.teardown(() => rm(folder, { recursive: true }));

const logit = (score: number) => Math.log(score / (1 - score));
const sigmoid = (real: number) => 1 / (1 + Math.exp(-real));

t.test('a temperature divides logits, and its inverse takes it back', async (t) => {
  for (const score of [0.01, 0.3, 0.5, 0.8, 0.99]) {
    for (const temperature of [0.5, 1, 1.7, 4]) {
      const tempered = temperedScore(score, temperature);
      t.ok(Math.abs(tempered - sigmoid(logit(score) / temperature)) < 1e-12);
      t.ok(Math.abs(temperedScore(tempered, 1 / temperature) - score) < 1e-12);
    }
  }
  t.strictSame([temperedScore(0, 2), temperedScore(1, 2)], [0, 1]);
  const shares = [0.7, 0.2, 0.1];
  const tempered = shares.map((_, at) => temperedShare(shares, at, 2));
  const powers = shares.map((share) => Math.sqrt(share));
  const sum = powers.reduce((all, power) => all + power, 0);
  t.ok(tempered.every((share, at) => Math.abs(share - (powers[at] ?? 0) / sum) < 1e-12));
});

/** Pictures of which another network says the same with its logits divided by `factor`. */
function picturesOf(factor: number, noise = 0): ScorePair[][] {
  return Array.from({ length: 40 }, (_, picture) => {
    const expected = 0.05 + 0.9 * ((picture * Math.SQRT2) % 1);
    const real = logit(expected) / factor + noise * (((picture * Math.sqrt(3)) % 1) - 0.5);
    return [{ expected, at: (temperature) => temperedScore(sigmoid(real), temperature) }];
  });
}

t.test(
  'the temperature of a network is found, and none where there is nothing to find',
  async (t) => {
    for (const factor of [0.4, 0.7, 1.5, 2.5]) {
      const pictures = picturesOf(factor, 0.4);
      const found = fitTemperature(pictures);
      t.ok(Math.abs(Math.log(found * factor)) < 0.3, `${factor}: ${found}`);
      t.ok(distanceOf(pictures.flat(), found) < 0.7 * distanceOf(pictures.flat(), 1), `${factor}`);
    }
    t.equal(fitTemperature(picturesOf(1)), 1);
    t.equal(fitTemperature([]), 1);
    const [one] = picturesOf(3);
    t.equal(fitTemperature(one === undefined ? [] : [one]), 1, 'one picture says nothing');
    // Half of the pictures say more, half of them less.
    const contrary = picturesOf(2).map((pairs, at) =>
      at % 2 === 0 ? pairs : (picturesOf(0.5)[at] ?? []),
    );
    t.equal(fitTemperature(contrary), 1, 'halves that do not agree');
  },
);

t.test('an object that only one of two finds is faint for the other', async (t) => {
  const box = [0, 0, 10, 10] as const;
  const thing = (index: number, score: number, x = 0) => ({
    ...{ index, label: 'thing', score },
    box: [x, box[1], box[2], box[3]] as const,
  });
  const pairs = objectPairs(
    [thing(1, 0.9), thing(2, 0.6, 50)],
    [thing(1, 0.7, 1), thing(1, 0.5, 90)],
  );
  t.strictSame(
    pairs.map(({ expected, at }) => [expected, at(1)]),
    [
      [0.9, 0.7],
      [0.6, 0.05],
      [0.05, 0.5],
    ],
  );
});

function picture(...colour: readonly number[]): Frame {
  const bytes = Uint8Array.from({ length: 8 * 8 * 3 }, (_, at) => colour[at % 3] ?? 0);
  const common = { sequence: 1, camera: 'probe', capturedAt: 0, time: 0 } as const;
  return { ...common, width: 8, height: 8, format: 'rgb24', range: 'full', bytes };
}

const pictures = Array.from({ length: 60 }, (_, n) =>
  picture(...[5, 7, 11].map((prime) => 20 + 200 * ((n * Math.sqrt(prime)) % 1))),
);

/** The same network whose logits are `factor` times as large: what a smaller or larger one is like. */
async function network(name: string, scores: ScoreKind, factor: number): Promise<Variant> {
  const logits = { name: 'logits', type: 'uint8', scale: 0.02 * factor, zeroPoint: 90 } as const;
  const head = { kind: 'classifier', classes: 3, scores, logits } as const;
  return classifierVariant(folder, name, undefined, { head });
}

async function scoresOf(variant: Variant, shown: readonly Frame[]): Promise<number[]> {
  const pool = createSessionPool(1);
  await pool.load(variant);
  const look = createFrameRunner(pool);
  const scores: number[] = [];
  for (const frame of shown) {
    const { labels } = await look(variant.name, frame, { topK: 3, threshold: 0 });
    for (const { score } of [...labels].sort((a, b) => a.index - b.index)) scores.push(score);
  }
  await pool.close();
  return scores;
}

for (const scores of ['softmax', 'sigmoid'] as const) {
  t.test(`${scores}: a network is brought onto the scale of another, by measurement`, async (t) => {
    const reference = await network('reference', scores, 1);
    const [fitted, heldOut] = [pictures.slice(0, 40), pictures.slice(40)];
    t.equal((await measureScale(reference, reference, fitted)).temperature, 1);
    for (const factor of [0.5, 1.6, 3]) {
      const other = await network(`other ${factor}`, scores, factor);
      const scale = await measureScale(other, reference, fitted);
      t.match(scale, { reference: 'reference', file: reference.sha256 });
      t.ok(Math.abs(Math.log(scale.temperature / factor)) < 0.2, `${factor}: ${scale.temperature}`);
      t.ok(scale.apartWith < scale.apart / 2);
      const expected = await scoresOf(reference, heldOut);
      const apart = async (variant: Variant) =>
        (await scoresOf(variant, heldOut)).reduce(
          (sum, score, at) => sum + Math.abs(score - (expected[at] ?? 0)) / expected.length,
          0,
        );
      const [before, after] = [
        await apart(other),
        await apart({ ...other, temperature: scale.temperature }),
      ];
      t.ok(after < before / 3, `held out: ${before.toFixed(4)} → ${after.toFixed(4)}`);
    }
  });
}

t.test('the pictures to compare scores on are always the same ones, all different', async (t) => {
  const [once, again] = [await variedPictures(), await variedPictures()];
  const texts = once.map(({ bytes }) => Buffer.from(bytes).toString('base64'));
  t.equal(new Set(texts).size, once.length);
  t.strictSame(
    again.map(({ bytes }) => Buffer.from(bytes).toString('base64')),
    texts,
  );
});

t.test('the scores of a detector are tempered, and its threshold is meant so', async (t) => {
  const variant = await detectorVariant(folder, 16);
  // Cells of 8 × 8 pixels, each greener than the one before: logits of 1, 2, 3 and 4.
  const bytes = new Uint8Array(16 * 16 * 3);
  for (let at = 0; at < 256; at += 1) {
    const cell = (at >> 7) * 2 + ((at >> 3) & 1);
    bytes[at * 3 + 1] = 128 + 16 * (cell + 1);
  }
  const frame = { ...picture(0, 0, 0), width: 16, height: 16, bytes };
  const scores = async (temperature: number | undefined, threshold: number) => {
    const pool = createSessionPool(1);
    await pool.load(temperature === undefined ? variant : { ...variant, temperature });
    const { labels } = await createFrameRunner(pool)(variant.name, frame, { topK: 9, threshold });
    await pool.close();
    return labels.map(({ score }) => score.toFixed(4));
  };
  const expected = (temperature: number) =>
    [4, 3, 2, 1].map((real) => sigmoid(real / temperature).toFixed(4));
  t.strictSame(await scores(undefined, 0.5), expected(1));
  t.strictSame(await scores(2, 0.5), expected(2));
  t.strictSame(await scores(2, 0.8), expected(2).slice(0, 2));
  t.strictSame(await scores(0.5, 0.9), expected(0.5).slice(0, 3));
});

t.test('a variant that is loaded is loaded anew with another temperature', async (t) => {
  const variant = await network('exchanged', 'softmax', 1);
  const pool = createSessionPool(1);
  t.teardown(() => pool.close());
  const look = createFrameRunner(pool);
  const score = async (temperature: number) => {
    await pool.load({ ...variant, temperature });
    const { labels } = await look(variant.name, picture(200, 40, 90), { topK: 1, threshold: 0 });
    return labels[0]?.score ?? 0;
  };
  const [own, flat, again] = [await score(1), await score(3), await score(1)];
  t.ok(flat < own - 0.1, `${own} → ${flat}`);
  t.equal(again, own);
  t.equal(pool.size(), 1, 'the file is in memory once');
});
