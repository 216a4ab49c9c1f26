import { convertNetwork } from '../../convert/convert.js';
import type { Graph } from '../../convert/graph.js';
import type { OwnOnnxModel } from '../../convert/own-onnx/convert.js';
import { codedError } from '../../errors.js';
import { ort, sessionOptions } from '../../inference/runtime.js';
import { sidesOf } from '../variant.js';
import { trialPictures } from './trial-pictures.js';

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
  const expected = await logitsOf(whole.onnx, whole, whole.head.logits.name);
  const found = await logitsOf(own.onnx, { ...whole, input: own.input }, own.head.logits.name);
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
async function logitsOf(
  onnx: Uint8Array,
  { input }: Pick<OwnOnnxModel, 'input'>,
  output: string,
): Promise<number[]> {
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, 'float32'));
  const [height, width] = sidesOf(input, input.sizes[0] ?? 0);
  const logits: number[] = [];
  try {
    for (const bytes of trialPictures(height, width)) {
      const picture = new ort.Tensor('uint8', bytes, [1, height, width, 3]);
      const data = (await session.run({ [input.name]: picture }))[output]?.data;
      if (data instanceof Float32Array) logits.push(...data);
    }
  } finally {
    await session.release();
  }
  return logits;
}
