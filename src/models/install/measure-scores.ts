import type { OwnOnnxModel } from '../../convert/own-onnx/convert.js';
import { codedError } from '../../errors.js';
import { ort, sessionOptions } from '../../inference/runtime.js';
import { type ScoreKind, sidesOf } from '../variant.js';
import { trialPictures } from './trial-pictures.js';

/** How far the sum of probabilities may be from 1: they may be stored in 255 steps. */
const SUM_TOLERANCE = 0.05;
const RANGE_TOLERANCE = 0.01;

/**
 * Finds out what the outputs of a classifier are whose end does not say it, by running it on a few
 * pictures: probabilities that add up to one, scores that stand by themselves, or logits.
 *
 * @throws MND_MODEL_SHAPE for numbers that are none of these
 */
export async function measureScores(model: OwnOnnxModel): Promise<ScoreKind> {
  const { head, end } = model;
  if (end.sure) return head.scores ?? 'softmax';
  const answers = await run(model);
  const within = answers.every((values) =>
    values.every((value) => value >= -RANGE_TOLERANCE && value <= 1 + RANGE_TOLERANCE),
  );
  const sums = answers.map((values) => values.reduce((sum, value) => sum + value, 0));
  const whole = sums.every((sum) => Math.abs(sum - 1) <= SUM_TOLERANCE);
  if (within && (end.squashed || (whole && head.classes > 1))) return 'probability';
  if (!end.squashed && head.classes > 1) return 'softmax';
  const found = answers.flat();
  throw codedError('MND_MODEL_SHAPE', {
    subject: 'model output',
    expected: 'logits, or scores from 0 to 1',
    found: `${Math.min(...found).toFixed(2)} to ${Math.max(...found).toFixed(2)} behind a softmax or sigmoid`,
    next: 'export the network with its softmax or sigmoid as the last operator',
  });
}

async function run({ onnx, form, input, head }: OwnOnnxModel): Promise<number[][]> {
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, form));
  const [height, width] = sidesOf(input, input.sizes[0] ?? 0);
  const answers: number[][] = [];
  try {
    for (const bytes of trialPictures(height, width)) {
      const picture = new ort.Tensor('uint8', bytes, [1, height, width, 3]);
      const results = await session.run({ [input.name]: picture });
      const data = results[head.logits.name]?.data;
      if (data instanceof Float32Array) answers.push(Array.from(data));
    }
  } finally {
    await session.release();
  }
  return answers;
}
