import { readFileSync } from 'node:fs';
import { encode } from 'flatbuffers/js/flexbuffers.js';
import t, { type Test } from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { withEmbedding } from '#mobilenetd/convert/embedding/embedding.js';
import { withClasses } from '#mobilenetd/convert/kept-classes.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT } from '#mobilenetd/convert/scaling.js';
import { EMBEDDING_OUTPUT, type NumericForm, type SsdHead } from '#mobilenetd/models/variant.js';
import { cellDetector } from '../inference/tiny-models.js';
import { rawSsdModel } from './build-raw-ssd.js';
import { ssdModel } from './build-ssd.js';
import { buildTflite } from './build-tflite.js';
import { withPostprocess } from './float-ends.js';
import { networkInput, testPictures, wildModel } from './mirror.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

interface Network {
  readonly onnx: Uint8Array;
  readonly head: SsdHead;
  readonly size: number;
  readonly form: NumericForm;
}

function network(converted: ReturnType<typeof convertTflite>, size: number): Network {
  const { onnx, head, form } = converted;
  if (head.kind !== 'ssd') throw new Error(head.kind);
  return { onnx, head, size, form };
}

/** The columns of the kept classes of every anchor. */
function columnsOf(
  scores: ArrayLike<number>,
  classes: number,
  kept: readonly number[],
): readonly number[] {
  const anchors = Array.from({ length: scores.length / classes }, (_, anchor) => anchor);
  return anchors.flatMap((anchor) => kept.map((index) => scores[anchor * classes + index] ?? -1));
}

/** Bit for bit: every box, and the scores that are left. */
async function sameScores(
  t: Test,
  { onnx, head, size, form }: Network,
  kept: readonly number[],
  pictures: readonly Uint8Array[],
): Promise<void> {
  const cut = withClasses(onnx, head, kept);
  t.ok(cut.length < onnx.length, `${cut.length} bytes of ${onnx.length}`);
  const [whole, few] = [await openOnnx(onnx, form), await openOnnx(cut, form)];
  for (const [index, picture] of pictures.entries()) {
    const [expected, found] = [
      await whole.run(picture, size, size),
      await few.run(picture, size, size),
    ];
    for (const { boxes, scores } of head.layers) {
      t.strictSame(found[boxes.name]?.data, expected[boxes.name]?.data, `boxes, ${index}`);
      const values = expected[scores.name]?.data as ArrayLike<number>;
      t.strictSame(
        Array.from(found[scores.name]?.data as ArrayLike<number>),
        columnsOf(values, head.classes, kept),
        `scores of ${kept.join()}, ${index}`,
      );
      t.strictSame(found[scores.name]?.dims.slice(0, 3), expected[scores.name]?.dims.slice(0, 3));
    }
  }
  await whole.close();
  await few.close();
}

const floatSsd = () =>
  network(
    convertTflite(buildTflite(rawSsdModel().model), {
      form: 'float32',
      picture: { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT },
    }),
    300,
  );

t.test('a float detector: the scores that are left are the same', async (t) => {
  const pictures = [1, 2].map((seed) => randomPicture(300, seed));
  for (const kept of [[1], [2], [2, 1]]) await sameScores(t, floatSsd(), kept, pictures);
});

t.test('an integer detector of three feature maps, in two forms', async (t) => {
  const { model } = ssdModel({ settings: { use_regular_nms: true } });
  const pictures = [1, 2, 3].map((seed) => randomPicture(64, seed));
  for (const form of ['exact', 'symmetric'] as const) {
    const small = network(convertTflite(buildTflite(model), { form }), 64);
    for (const kept of [[1], [4], [1, 3, 4]]) await sameScores(t, small, kept, pictures);
  }
});

const { path, skip } = wildModel('coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite');

t.test('a published detector of 90 labels, on photographs', { skip }, async (t) => {
  const settings = { max_detections: 20, max_classes_per_detection: 1, use_regular_nms: true };
  const rest = { nms_score_threshold: 0.2, nms_iou_threshold: 0.6, num_classes: 90 };
  const scales = { y_scale: 10, x_scale: 10, h_scale: 5, w_scale: 5 };
  const file = withPostprocess(readFileSync(path), encode({ ...settings, ...rest, ...scales }), 20);
  const pictures = (await testPictures()).slice(0, 4).map((picture) => networkInput(picture, 300));
  for (const form of ['exact', 'symmetric'] as const) {
    const published = network(convertTflite(file, { form }), 300);
    await sameScores(t, published, [1, 3, 17, 18], pictures);
  }
});

t.test('embeddings are the same, and come after', async (t) => {
  const { onnx, head, size, form } = floatSsd();
  const picture = randomPicture(size, 5);
  const embeddings: unknown[] = [];
  for (const bytes of [onnx, withClasses(onnx, head, [2])]) {
    const session = await openOnnx(withEmbedding(bytes, head), form);
    embeddings.push((await session.run(picture, size, size))[EMBEDDING_OUTPUT]?.data);
    await session.close();
  }
  t.ok(embeddings[0] instanceof Float32Array);
  t.strictSame(embeddings[1], embeddings[0]);
});

t.test('what has no predictor of its own is refused', (t) => {
  const { onnx, head } = floatSsd();
  const [layer] = head.layers;
  const output = { name: 'scores', type: 'float32', scale: 1, zeroPoint: 0 } as const;
  const cells = { ...head, classes: 3, layers: [{ boxes: output, scores: output, stride: 8 }] };
  t.throws(() => withClasses(cellDetector(), cells, [1]), { code: 'MND_MODEL_OPERATOR' });
  t.throws(() => withClasses(onnx, { ...head, classes: 4 }, [1]), { code: 'MND_MODEL_OPERATOR' });
  const nowhere = { ...head, layers: [{ ...layer, boxes: output, scores: output, stride: 16 }] };
  t.throws(() => withClasses(onnx, nowhere, [1]), { code: 'MND_MODEL_OPERATOR' });
  t.throws(() => withClasses(onnx.subarray(0, 1000), head, [1]), { code: /^MND_MODEL_/ });
  t.end();
});
