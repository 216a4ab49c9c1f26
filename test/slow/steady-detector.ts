import { encodeOnnx, FLOAT, rawFloats, valueInfo } from '../convert/own-onnx/build-onnx.js';

/** What it sees, with scores above any doubt: corners as shares of the picture (top, left, bottom, right). */
const SEEN = [
  { label: 1, score: 0.9, box: [0.3, 0.1, 0.9, 0.4] },
  { label: 2, score: 0.8, box: [0.55, 0.6, 0.85, 0.95] },
];
/** Names of its labels. */
export const STEADY_LABELS = ['person', 'car'];

/**
 * A detector as TensorFlow's object detection exports one, which sees the same two things in every picture, so
 * that a test can wait for them. Its scores grow a little with the brightness: a network must use its input.
 */
export function steadyDetector(): Uint8Array {
  const count = SEEN.length;
  const numbers = (
    name: string,
    dims: readonly number[],
    of: (row: (typeof SEEN)[number]) => number[],
  ) => rawFloats(name, dims, SEEN.flatMap(of));
  const node = (opType: string, input: readonly string[], output: string) => ({
    ...{ opType, input: [...input], output: [output], name: output, attribute: [] },
  });
  return encodeOnnx({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    producerName: 'test',
    graph: {
      name: 'steady',
      initializer: [
        numbers('boxes', [1, count, 4], ({ box }) => box),
        numbers('labels', [1, count], ({ label }) => [label]),
        numbers('scores', [1, count], ({ score }) => [score]),
        rawFloats('little', [1], [0.01]),
        rawFloats('many', [1], [count]),
      ],
      node: [
        node('GlobalAveragePool', ['images'], 'pooled'),
        {
          ...node('ReduceMean', ['pooled'], 'brightness'),
          attribute: [{ name: 'keepdims', type: 2, i: 0 }],
        },
        node('Mul', ['brightness', 'little'], 'more'),
        node('Add', ['scores', 'more'], 'detection_scores:0'),
        node('Identity', ['boxes'], 'detection_boxes:0'),
        node('Identity', ['labels'], 'detection_classes:0'),
        node('Identity', ['many'], 'num_detections:0'),
      ],
      input: [valueInfo('images', FLOAT, [1, 3, 64, 64])],
      output: [
        valueInfo('detection_boxes:0', FLOAT, [1, count, 4]),
        valueInfo('detection_classes:0', FLOAT, [1, count]),
        valueInfo('detection_scores:0', FLOAT, [1, count]),
        valueInfo('num_detections:0', FLOAT, [1]),
      ],
    },
  });
}
