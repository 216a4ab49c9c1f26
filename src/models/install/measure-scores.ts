import type { OwnOnnxModel } from '../../convert/own-onnx/convert.js';
import { codedError } from '../../errors.js';
import { topClasses } from '../../vision/topk.js';
import type { ScoreKind } from '../variant.js';
import { runTrials } from './trial-runs.js';

/** How far the sum of probabilities may be from 1: they may be stored in 255 steps. */
const SUM_TOLERANCE = 0.05;
const RANGE_TOLERANCE = 0.01;
/** How far a score may be from the file's own, which may be stored in 255 steps too. */
const SCORE_TOLERANCE = 0.02;

/** A classifier whose outputs are known. */
export interface MeasuredClassifier {
  readonly model: OwnOnnxModel;
  readonly scores: ScoreKind;
}

/**
 * Finds out what the outputs of a classifier are, by running it on a few pictures. A softmax or sigmoid
 * at its end is left to the program if that gives the file's own scores (over several rows, or over
 * another side of its numbers, it does not); else the file's own output is read: probabilities that add up
 * to one, scores that stand by themselves, or logits.
 *
 * @throws MND_MODEL_SHAPE for numbers that are none of these
 */
export async function measureScores(model: OwnOnnxModel): Promise<MeasuredClassifier> {
  if (model.end.original === null) return { model, scores: await scoresOf(model) };
  if (await givesOriginal(model)) return { model, scores: model.end.scores };
  const asItIs = model.asItIs();
  return { model: asItIs, scores: await scoresOf(asItIs) };
}

/** Whether softmax or sigmoid of what is read are the file's own scores. */
async function givesOriginal({ trial, head, input, form, end }: OwnOnnxModel): Promise<boolean> {
  if (trial === null) return true;
  const [read, own] = [head.logits.name, trial.original];
  const runs = await runTrials({ onnx: trial.onnx, input, form }, [read, own]);
  return runs.every((run) => {
    const logits = run.get(read)?.data ?? new Float32Array();
    const original = run.get(own)?.data ?? [];
    return topClasses(logits, head.logits, head.classes, end.scores).every(({ index, score }) => {
      const { steps = 1, zeroPoint = 0, logarithm = false } = end.original ?? {};
      const found = ((original[index] ?? Number.NaN) - zeroPoint) / steps;
      const expected = logarithm ? Math.exp(found) : found;
      return Math.abs(score - expected) <= SCORE_TOLERANCE;
    });
  });
}

async function scoresOf({ onnx, input, form, head, end }: OwnOnnxModel): Promise<ScoreKind> {
  const { name } = head.logits;
  const runs = await runTrials({ onnx, input, form }, [name]);
  const answers = runs.map((run) => [...(run.get(name)?.data ?? [])]);
  const found = answers.flat();
  if (!found.every(Number.isFinite)) {
    throw strange(
      'what is no number',
      'weights are damaged: fetch the file again, or train it anew',
    );
  }
  const within = found.every((value) => value >= -RANGE_TOLERANCE && value <= 1 + RANGE_TOLERANCE);
  const sums = answers.map((values) => values.reduce((sum, value) => sum + value, 0));
  const whole = sums.every((sum) => Math.abs(sum - 1) <= SUM_TOLERANCE);
  if (within && whole && head.classes > 1) return 'probability';
  const all = `${Math.min(...found).toFixed(2)} to ${Math.max(...found).toFixed(2)}`;
  if (end.squashed) {
    if (head.classes > 1 && found.every((value) => Math.abs(value - 1) < RANGE_TOLERANCE)) {
      throw strange('1 for every class: its softmax or sigmoid sees one number at a time');
    }
    if (within) return 'probability';
    throw strange(`${all} behind a softmax or sigmoid`);
  }
  if (within && !end.weighted) {
    throw strange(
      `${all}, which may be scores or logits: behind no softmax, sigmoid or last layer`,
    );
  }
  return 'softmax';
}

const USUAL_END = 'export the network with its softmax or sigmoid as the last operator';

function strange(found: string, next = USUAL_END): Error {
  return codedError('MND_MODEL_SHAPE', {
    subject: 'model output',
    expected: 'logits, or scores from 0 to 1',
    found,
    next,
  });
}
