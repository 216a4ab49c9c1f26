import type { OwnOnnxDetector } from '../../convert/own-onnx/convert.js';
import { type DetectorGuess, guessDetector } from '../../convert/own-onnx/detector.js';
import { isPlausible } from '../../convert/own-onnx/plausible.js';
import { codedError } from '../../errors.js';
import { type BoxesHead, sidesOf } from '../variant.js';
import { runTrials, type TrialRun } from './trial-runs.js';

/**
 * Finds out what the outputs of a detector are, by their shapes, by how many labels there are, and by running
 * it on a few pictures: of all layouts that the shapes allow, the one that its numbers do not contradict.
 *
 * @param labels how many there are
 * @throws MND_MODEL_SHAPE for numbers that are nothing known; MND_MODEL_QUESTION for several possible layouts
 */
export async function measureBoxes(model: OwnOnnxDetector, labels: number): Promise<BoxesHead> {
  const runs = await runTrials(model, [...model.outputs.keys()]);
  const sides = sidesOf(model.input, model.input.sizes[0] ?? 0);
  const results = [...model.outputs].map(([name, own]) => ({
    name: own,
    dims: runs[0]?.get(name)?.dims ?? [],
    output: name,
  }));
  const guesses = guessDetector(results, sides, labels);
  const fitting = guesses
    .map((guess) => ({ ...guess, head: renamed(guess.head, results) }))
    .filter(({ head }) => runs.every((run) => isPlausible(valuesOf(run, head), head, sides)));
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return withClasses(only.head, labels);
  const shapes = results.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ');
  if (only !== undefined) {
    throw codedError('MND_MODEL_QUESTION', {
      subject: 'model output',
      expected: 'outputs of one meaning',
      found: `${shapes.slice(0, 200)}, which may be ${namesOf(fitting)}`,
      next: 'export it again with its usual outputs, or with suppression inside',
    });
  }
  throw strange(shapes, guessDetector(results, sides, null), labels);
}

function namesOf(guesses: readonly DetectorGuess[]): string {
  return [...new Set(guesses.map(({ name }) => name))].join(' or ');
}

/** Says what it looks like, and whether the labels are why it is not read so. */
function strange(shapes: string, guesses: readonly DetectorGuess[], labels: number): Error {
  const other = guesses.find(({ head }) => head.classes > 0 && head.classes !== labels);
  const found = `${shapes.slice(0, 300)}${guesses.length === 0 ? '' : `: this looks like ${namesOf(guesses)}`}`;
  return codedError('MND_MODEL_SHAPE', {
    subject: 'model output',
    expected: 'boxes and scores of a detector that is known',
    found:
      other === undefined
        ? found
        : `${found}, of ${other.head.classes} classes, with ${labels} labels`,
    next:
      other === undefined
        ? 'take a YOLO (v5 to v11), YOLOX, NanoDet-Plus, PicoDet or SSD with the outputs of its usual export; of a classifier, export the scores as its only output'
        : 'give the labels that it was trained with, one a class',
  });
}

/** Layouts name outputs as the file does; the wrapped file has names of its own. */
function renamed(
  head: BoxesHead,
  results: readonly { readonly name: string; readonly output: string }[],
): BoxesHead {
  const outputs = head.layout.outputs.map((output) => ({
    ...output,
    name: results.find(({ name }) => name === output.name)?.output ?? output.name,
  }));
  return { ...head, layout: { ...head.layout, outputs } };
}

/** A list does not say how many classes there are. */
function withClasses(head: BoxesHead, labels: number): BoxesHead {
  if (head.layout.kind !== 'list') return head;
  return { ...head, classes: head.background ? labels + 1 : labels };
}

function valuesOf(run: TrialRun, head: BoxesHead): Float32Array[] {
  return head.layout.outputs.map(({ name }) => run.get(name)?.data ?? new Float32Array());
}
