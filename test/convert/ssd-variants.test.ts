// A process of its own: which of equal scores LiteRT.js takes first depends on what it has run before
import { readFileSync } from 'node:fs';
import { encode } from 'flatbuffers/js/flexbuffers.js';
import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { findPostprocess } from '#mobilenetd/convert/tflite/detector.js';
import { parseTflite } from '#mobilenetd/convert/tflite/model.js';
import type { SsdHead } from '#mobilenetd/models/variant.js';
import { createAnchors, type Detection, decodeDetections } from '#mobilenetd/vision/ssd.js';
import { ssdModel } from './build-ssd.js';
import { buildTflite } from './build-tflite.js';
import { withPostprocess } from './float-ends.js';
import { openOracle, type Values } from './litert.js';
import { networkInput, testPictures, wildModel } from './mirror.js';
import { openOnnx } from './session.js';

const SIZE = 300;
const THRESHOLD = 0.3;
/** Scores on which both must agree; those of the original have coarser steps. */
const CLEAR = 0.35;
const PICTURES = 12;
const USUAL = {
  max_detections: 20,
  max_classes_per_detection: 1,
  nms_score_threshold: 0.2,
  nms_iou_threshold: 0.6,
  num_classes: 90,
  y_scale: 10,
  x_scale: 10,
  h_scale: 5,
  w_scale: 5,
};

/** Settings of TFLite_Detection_PostProcess as files have them. */
const VARIANTS: Readonly<Record<string, Readonly<Record<string, number | boolean>>>> = {
  'one class a box, over all classes': {},
  'two classes a box': { max_classes_per_detection: 2 },
  'three classes a box, few boxes': { max_classes_per_detection: 3, max_detections: 2 },
  'each class by itself': { use_regular_nms: true },
  'each class by itself, one box each': { use_regular_nms: true, detections_per_class: 1 },
  'no background': { num_classes: 91 },
  'no background, each class by itself': { num_classes: 91, use_regular_nms: true },
  'box scales of one': { y_scale: 1, x_scale: 1, h_scale: 1, w_scale: 1 },
  'one box': { max_detections: 1 },
  'a strict overlap': { nms_iou_threshold: 0.1 },
  'a score that counts': { nms_score_threshold: 0.6 },
};

const { path, skip } = wildModel('coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite');
const pictures = (await testPictures()).slice(0, PICTURES);

for (const [name, change] of Object.entries(VARIANTS)) {
  t.test(`objects are the original's: ${name}`, { skip }, async (t) => {
    const settings = { ...USUAL, ...change };
    const most = settings.max_detections * settings.max_classes_per_detection;
    const file = withPostprocess(readFileSync(path), encode(settings), most);
    const { onnx, head } = convertTflite(file, { form: 'exact' });
    if (head.kind !== 'ssd') throw new Error('no detector');
    t.equal(head.background ?? true, settings.num_classes === 90);
    const oracle = await openOracle(file);
    const model = await openOnnx(onnx);
    const anchors = createAnchors(head, SIZE, SIZE);
    let [all, missing, extra] = [0, 0, 0];
    for (const picture of pictures) {
      const pixels = networkInput(picture, SIZE);
      const expected = objectsOf(await oracle.runAll(pixels, [1, SIZE, SIZE, 3]), head);
      const outputs = await model.run(pixels, SIZE, SIZE);
      const values = (output: string) => outputs[output]?.data ?? new Uint8Array();
      const layers = head.layers.map((layer) => ({
        boxes: values(layer.boxes.name),
        scores: values(layer.scores.name),
      }));
      const found = decodeDetections(layers, head, anchors, { threshold: THRESHOLD });
      const clear = expected.filter(([, score]) => score >= CLEAR);
      all += clear.length;
      missing += clear.filter((object) => !found.some((own) => isSame(own, object))).length;
      extra += found.filter(
        (own) => own.score >= CLEAR && !expected.some((object) => isSame(own, object)),
      ).length;
    }
    // Scores that the original stores alike it orders by chance, and the best suppresses the others.
    const share = 0.1 * all;
    t.ok(
      all >= 8 && missing <= share && extra <= share,
      `${all}: ${missing} missing, ${extra} more`,
    );
    oracle.close();
    await model.close();
  });
}

t.test('the post-processing is read from the file', { skip }, (t) => {
  const file = withPostprocess(readFileSync(path), encode({ ...USUAL, max_detections: 7 }), 7);
  t.equal(findPostprocess(parseTflite(file))?.name, 'TFLite_Detection_PostProcess');
  const { head } = convertTflite(file, { form: 'exact' });
  t.match(head, { suppression: { maxDetections: 7 } });
  t.end();
});

/** Index as the graph's score columns have it, score, left and top. */
type Found = readonly [index: number, score: number, left: number, top: number];

function objectsOf([boxes = new Float32Array(), classes, scores]: Values[], head: SsdHead) {
  const objects: Found[] = [];
  for (let at = 0; at < (scores?.length ?? 0); at += 1) {
    const score = scores?.[at] ?? 0;
    const [top = 0, left = 0, bottom = 0, right = 0] = boxes.subarray(4 * at, 4 * at + 4);
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    const seen = Math.min(1, right) > x && Math.min(1, bottom) > y;
    // The original counts classes without the background.
    const index = (classes?.[at] ?? 0) + (head.background === false ? 0 : 1);
    if (score >= THRESHOLD && seen) objects.push([index, score, x, y]);
  }
  return objects;
}

function isSame({ index, score, box: [x, y] }: Detection, [own, of, left, top]: Found): boolean {
  const near = Math.abs(x - left) < 0.03 && Math.abs(y - top) < 0.03;
  return index === own && Math.abs(score - of) < 0.02 && near;
}

t.test('heads that would be read wrongly are refused', (t) => {
  const swapped = (anchors: Float32Array) => {
    const rows = Array.from({ length: anchors.length / 4 }, (_, at) => at);
    return Float32Array.from(
      rows.reverse().flatMap((at) => [...anchors.subarray(4 * at, 4 * at + 4)]),
    );
  };
  const cornered = (anchors: Float32Array) =>
    anchors.map((_, at) => {
      const row = at - (at % 4);
      const half = (anchors[row + 2 + (at % 2)] ?? 0) / 2;
      return (anchors[row + (at % 2)] ?? 0) + (at % 4 < 2 ? -half : half);
    });
  const turned = (anchors: Float32Array) =>
    anchors.map((_, at) => anchors[at - (at % 2) + (1 - (at % 2))] ?? 0);
  const cases: readonly (readonly [Parameters<typeof ssdModel>[0], string, RegExp])[] = [
    [{ anchors: swapped }, 'MND_MODEL_MISMATCH', /detector anchors/],
    [{ anchors: cornered }, 'MND_MODEL_MISMATCH', /detector anchors/],
    [{ anchors: turned }, 'MND_MODEL_MISMATCH', /detector anchors/],
    [{ scores: 'nothing' }, 'MND_MODEL_SHAPE', /scores of a sigmoid; found 0 sigmoids/],
    [{ scores: 'SOFTMAX' }, 'MND_MODEL_SHAPE', /found SOFTMAX/],
    [{ settings: { num_classes: 3 } }, 'MND_MODEL_SHAPE', /5 or 4 classes; found num_classes 3/],
  ];
  for (const [options, code, message] of cases) {
    const file = buildTflite(ssdModel(options).model);
    t.throws(() => convertTflite(file, { form: 'exact' }), { code, message });
  }
  t.end();
});
