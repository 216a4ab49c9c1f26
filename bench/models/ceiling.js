// What this processor gives integers over floats: a network's heaviest 1×1 convolution alone, in
// onnxruntime's int8 and float32. A network of nothing else would be so much faster; where this ratio
// is below a bar, no conversion can meet it.
import { readTflite } from '../../dist/convert/convert.js';
import { createOnnxBuilder } from '../../dist/convert/onnx/builder.js';
import { ort, sessionOptions } from '../../dist/inference/runtime.js';
import { timed } from './common.js';

/** So many in a row, there and back, that the change of layout at both ends does not count. */
const LAYERS = 8;

/** The 1×1 convolution with the most multiply-adds. */
export function heaviestPointwise(tflite) {
  const { graph } = readTflite(tflite);
  const layers = graph.operators
    .filter(({ kind, depthwise }) => kind === 'conv' && !depthwise)
    .map(({ weights, output }) => {
      const [to, height, width, from] = graph.tensors.get(weights).shape;
      const [, rows, columns] = graph.tensors.get(output).shape;
      return { from, to, kernel: height * width, rows, columns };
    })
    .filter(({ kernel }) => kernel === 1);
  const multAdds = ({ from, to, rows, columns }) => from * to * rows * columns;
  return layers.reduce((best, layer) => (multAdds(layer) > multAdds(best) ? layer : best));
}

/** The layer as two contestants for takeTurns. */
export async function pointwiseContestants(layer) {
  const int8 = await openChain(layer, quantizedLayer, 'uint8');
  const float32 = await openChain(layer, floatLayer, 'float32');
  return {
    contestants: { int8: timed(int8.run), float32: timed(float32.run) },
    close: () => Promise.all([int8.session.release(), float32.session.release()]),
  };
}

async function openChain({ from, to, rows, columns }, emitLayer, type) {
  const builder = createOnnxBuilder('pointwise');
  builder.input('input', type, [1, from, rows, columns]);
  let value = 'input';
  for (let at = 0; at < LAYERS; at += 1) {
    const [inputs, outputs] = at % 2 === 0 ? [from, to] : [to, from];
    value = emitLayer(builder, value, inputs, outputs, `layer ${at}`);
  }
  builder.output(value, type, [1, from, rows, columns]);
  const session = await ort.InferenceSession.create(
    builder.finish({}),
    // The weights are too small to saturate.
    sessionOptions(1, 'reduced'),
  );
  const values = type === 'uint8' ? new Uint8Array(from * rows * columns) : null;
  const data = (values ?? new Float32Array(from * rows * columns)).map((_, at) => at % 256);
  const feeds = { input: new ort.Tensor(type, data, [1, from, rows, columns]) };
  const results = await session.run(feeds);
  return { session, run: () => session.run(feeds, results) };
}

const ATTRIBUTES = { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0] };

function quantizedLayer(builder, input, from, to, name) {
  const weights = Int8Array.from({ length: from * to }, (_, at) => ((at * 37) % 127) - 63);
  const inputs = [
    ...[input, builder.scalar('float32', 6 / 255), builder.scalar('uint8', 0)],
    builder.constant(`${name}:weights`, 'int8', [to, from, 1, 1], weights),
    builder.constant(`${name}:scale`, 'float32', [to], new Float32Array(to).fill(0.001)),
    builder.constant(`${name}:zero`, 'int8', [to], new Int8Array(to)),
    ...[builder.scalar('float32', 6 / 255), builder.scalar('uint8', 0)],
    builder.constant(`${name}:bias`, 'int32', [to], new Int32Array(to)),
  ];
  return builder.node('QLinearConv', inputs, name, ATTRIBUTES);
}

function floatLayer(builder, input, from, to, name) {
  const weights = Float32Array.from(
    { length: from * to },
    (_, at) => (((at * 37) % 127) - 63) / 1e4,
  );
  const inputs = [
    input,
    builder.constant(`${name}:weights`, 'float32', [to, from, 1, 1], weights),
    builder.constant(`${name}:bias`, 'float32', [to], new Float32Array(to)),
  ];
  const linear = builder.node('Conv', inputs, `${name}:linear`, ATTRIBUTES);
  const [zero, six] = [builder.scalar('float32', 0), builder.scalar('float32', 6)];
  return builder.node('Clip', [linear, zero, six], name);
}
