import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { CODE } from '../build-mobilenet.js';
import { createSpec } from '../build-small.js';
import { buildTflite, type OperatorSpec } from '../build-tflite.js';

/** A file that is whole as far as its outputs, which one operator makes. */
function withOutputs(
  size: number,
  shapes: readonly (readonly number[])[],
  code: OperatorSpec['code'] = CODE.RESHAPE,
) {
  const spec = createSpec(1);
  const picture = spec.activation([1, size, size, 3], 1 / 255, 0);
  const outputs = shapes.map((shape) => spec.activation(shape, 0.1, 128));
  spec.operator({ code, inputs: [picture], outputs });
  return buildTflite(spec.finish([picture], outputs));
}

t.test('networks that people have and that are none for this are called by their names', (t) => {
  const cases = [
    [
      withOutputs(192, [[1, 1, 17, 3]]),
      /found a pose network \(MoveNet\), which finds joints; take/,
    ],
    [withOutputs(256, [[1, 6, 56]]), /found a pose network \(MoveNet\)/],
    [
      withOutputs(320, [[1, 84, 2100]]),
      /found a YOLOv8 or YOLO11 detector in TensorFlow Lite; give/,
    ],
    [
      withOutputs(320, [[1, 6300, 85]]),
      /found a YOLOv5 detector in TensorFlow Lite; give its ONNX/,
    ],
    [withOutputs(416, [[1, 3549, 85]]), /found a YOLOX or YOLOv6 detector in TensorFlow Lite/],
    [
      withOutputs(128, [
        [1, 896, 16],
        [1, 896, 1],
      ]),
      /found MediaPipe's face or hand detector/,
    ],
    [
      withOutputs(32, [[1, 10]], 'edgetpu-custom-op'),
      /compiled for the Edge TPU.*; take the \.tflite/,
    ],
  ] as const;
  for (const [file, message] of cases) {
    t.throws(() => convertTflite(file, { form: 'exact' }), { code: 'MND_MODEL_FORMAT', message });
  }
  t.end();
});
