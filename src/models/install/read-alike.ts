import { convertNetwork } from '../../convert/convert.js';
import type { Graph } from '../../convert/graph.js';
import type { OwnOnnxModel } from '../../convert/own-onnx/convert.js';
import { codedError } from '../../errors.js';
import { runTrials, type TrialNetwork } from './trial-runs.js';

/** How far a logit may be from the file's own, as a share of the largest. */
const TOLERANCE = 0.005;

/**
 * The graph of a classifier, which must compute what the file itself does: both are run on a few pictures.
 *
 * @throws MND_MODEL_OPERATOR for a network that cannot be quantized here
 */
export async function readAlike(whole: OwnOnnxModel): Promise<Graph> {
  const { scores } = whole.head;
  if (scores !== 'softmax' && scores !== 'sigmoid') {
    throw different('scores that something is done to behind their softmax or sigmoid');
  }
  const graph = whole.floatGraph();
  const own = convertNetwork({ kind: 'classifier', graph, scores }, { form: 'float32' });
  if (own.head.kind !== 'classifier') throw different('no classifier');
  const expected = await logitsOf({ ...whole, form: 'float32' }, whole.head.logits.name);
  const found = await logitsOf(
    { onnx: own.onnx, input: own.input, form: 'float32' },
    own.head.logits.name,
  );
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const apart = expected.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (found[at] ?? Number.NaN))),
    0,
  );
  if (apart <= TOLERANCE * largest) return graph;
  throw different(`logits that are ${apart.toPrecision(3)} apart from the file's own`);
}

function different(found: string): Error {
  return codedError('MND_MODEL_OPERATOR', {
    subject: '--calibrate',
    expected: 'an ONNX classifier that can be read operator by operator',
    found,
    next: 'leave --calibrate out, and the file is used as it is; or quantize it with onnxruntime before',
  });
}

/** Of all trial pictures, one behind the other. */
async function logitsOf(network: TrialNetwork, output: string): Promise<number[]> {
  const runs = await runTrials(network, [output]);
  return runs.flatMap((run) => [...(run.get(output)?.data ?? [])]);
}
