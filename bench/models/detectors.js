// Detectors, each against its own original runtime on all test pictures: how many of its objects of at least
// 0.5 are found, how many are found besides, and how far the scores of both are apart.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withOutputShapes } from '../../.build/test/convert/float-ends.js';
import { openOracle } from '../../.build/test/convert/litert.js';
import { networkInput, testPictures, wildModel } from '../../.build/test/convert/mirror.js';
import { trainedSsdFile } from '../../.build/test/convert/own-onnx/build-trained-ssd.js';
import { convertTflite } from '../../dist/convert/convert.js';
import { convertDetectorGraph } from '../../dist/convert/float-detector.js';
import { readOwnOnnx } from '../../dist/convert/own-onnx/convert.js';
import { matchedObjects } from '../../dist/inference/agreement.js';
import { createPostprocessor } from '../../dist/inference/postprocess.js';
import { ort, sessionOptions } from '../../dist/inference/runtime.js';
import { measureBoxes } from '../../dist/models/install/measure-boxes.js';
import { calibrateOnnx } from '../../dist/models/install/onnx-integers.js';
import { packageRoot, print, round, skip } from './common.js';

const SIZE = 300;
const SURE = 0.5;
const FAINT = 0.4;
/** Share of the objects that is found, share that is found besides, mean difference of scores. */
const BARS = { own: [0.99, 0.02, 0.01], calibrated: [0.95, 0.05, 0.03] };

export async function detectors() {
  const pictures = await testPictures();
  if (pictures.length === 0) return skip('detectors', 'no pictures');
  await tfliteDetector(pictures);
  await onnxDetector(pictures);
}

/** Adds up what two lists of objects of a picture have in common. */
function count(sum, expected, found) {
  const pairs = matchedObjects(expected, found);
  const left = new Set(found);
  sum.total += expected.filter(({ score }) => score >= SURE).length;
  for (const [object, match] of pairs) {
    left.delete(match);
    if (object.score < SURE) continue;
    sum.matched += 1;
    sum.change += Math.abs(object.score - match.score);
  }
  sum.extra += [...left].filter(({ score }) => score >= SURE).length;
}

const nothing = () => ({ total: 0, matched: 0, extra: 0, change: 0 });

function tell(name, { total, matched, extra, change }, [least, besides, apart]) {
  print(
    `${name}: objects of the original that are found`,
    round(matched / total),
    { least },
    { total },
  );
  print(`${name}: objects besides`, round(extra / total), { most: besides }, { extra });
  print(`${name}: mean difference of scores`, round(change / matched), { most: apart });
}

/** What a form finds on a picture, as the daemon reads it. */
async function opened({ onnx, form, head, input }) {
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, form));
  const read = createPostprocessor({
    name: form,
    model: form,
    size: SIZE,
    head,
    input,
    labels: [],
  });
  return {
    async find(pixels) {
      const picture = new ort.Tensor('uint8', pixels, [1, SIZE, SIZE, 3]);
      const outputs = await session.run({ [input.name]: picture });
      return read(outputs, { topK: 100, threshold: FAINT }, [0, 0, SIZE, SIZE]);
    },
    close: () => session.release(),
  };
}

async function tfliteDetector(pictures) {
  const file = 'coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite';
  const { path, skip: reason } = wildModel(file);
  if (reason) return skip(file, reason);
  const bytes = readFileSync(path);
  const oracle = await openOracle(withOutputShapes(bytes, 10));
  const model = await opened(convertTflite(bytes, { form: 'exact' }));
  const sum = nothing();
  for (const picture of pictures) {
    const pixels = networkInput(picture, SIZE);
    const [boxes, classes, scores] = await oracle.runAll(pixels, [1, SIZE, SIZE, 3]);
    const expected = Array.from(scores, (score, at) => {
      const [top, left, bottom, right] = boxes.slice(4 * at, 4 * at + 4);
      const box = [left, top, right - left, bottom - top].map((side) => side * SIZE);
      // The original counts classes without the background.
      return { index: classes[at] + 1, score, box };
    }).filter(({ score }) => score >= FAINT);
    count(sum, expected, await model.find(pixels));
  }
  tell(`${file} exact, to LiteRT.js`, sum, BARS.own);
  oracle.close();
  await model.close();
}

/** The default detector's weights in an ONNX file as others have it, to onnxruntime on that file. */
async function onnxDetector(pictures) {
  const name = 'ssdlite_mobilenet_v2_coco';
  if (!existsSync(join(packageRoot, '.cache', name, 'model.json'))) {
    return skip('ONNX detector', 'run node scripts/fetch-detector.mjs first');
  }
  const { detectorEntry, readDetector } = await import('../../scripts/detector-data.mjs');
  const graph = readDetector(detectorEntry(name));
  const { head } = convertDetectorGraph(graph, { form: 'float32', calibration: null });
  const file = trainedSsdFile(graph, head, SIZE);
  const scaling = { mean: [127.5], scale: [1 / 127.5] };
  const read = readOwnOnnx(file, { scaling, reversed: false, size: null, maker: null });
  const whole = { ...read.model, head: await measureBoxes(read.model, head.classes - 1) };
  const original = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  const shown = pictures.map((picture) => networkInput(picture, SIZE));
  const expected = [];
  for (const pixels of shown) expected.push(await originalObjects(original, pixels));
  const sums = { float32: nothing(), symmetric: nothing(), reduced: nothing() };
  // Each half is judged by integers that were calibrated with the other one.
  for (const fold of [0, 1]) {
    const frames = pictures
      .filter((_, at) => at % 2 !== fold)
      .map(({ width, height, bytes }) => ({
        width,
        height,
        bytes,
        format: 'rgb24',
        range: 'full',
      }));
    const convert = await calibrateOnnx(whole, { frames, centralCrop: 0.875 });
    for (const [form, sum] of Object.entries(sums)) {
      const model = await opened(convert(form));
      for (const [at, pixels] of shown.entries()) {
        if (at % 2 === fold) count(sum, expected[at], await model.find(pixels));
      }
      await model.close();
    }
  }
  for (const [form, sum] of Object.entries(sums)) {
    const bars = form === 'float32' ? BARS.own : BARS.calibrated;
    tell(`ONNX of ${name} ${form}, to onnxruntime`, sum, bars);
  }
  await original.release();
}

/** Objects of the file's own outputs: the best class of each box, overlaps of one class suppressed. */
async function originalObjects(session, pixels) {
  const planes = new Float32Array(pixels.length);
  for (const [at, pixel] of pixels.entries()) {
    planes[(at % 3) * SIZE * SIZE + Math.floor(at / 3)] = pixel / 127.5 - 1;
  }
  const input = new ort.Tensor('float32', planes, [1, 3, SIZE, SIZE]);
  const { boxes, scores } = await session.run({ [session.inputNames[0]]: input });
  const classes = scores.dims[2];
  const all = [];
  for (let at = 0; at < scores.dims[1]; at += 1) {
    const own = scores.data.subarray(at * classes, (at + 1) * classes);
    const score = Math.max(...own);
    if (score < FAINT) continue;
    const [left, top, right, bottom] = Array.from(boxes.data.subarray(4 * at, 4 * at + 4), (side) =>
      Math.min(SIZE, Math.max(0, side)),
    );
    all.push({ index: own.indexOf(score), score, box: [left, top, right - left, bottom - top] });
  }
  const kept = [];
  for (const one of all.sort((a, b) => b.score - a.score)) {
    const same = kept.filter(({ index }) => index === one.index);
    if (same.every(({ box }) => overlap(box, one.box) <= 0.6)) kept.push(one);
  }
  return kept;
}

function overlap([x, y, w, h], [u, v, p, q]) {
  const width = Math.min(x + w, u + p) - Math.max(x, u);
  const height = Math.min(y + h, v + q) - Math.max(y, v);
  const common = Math.max(0, width) * Math.max(0, height);
  return common / (w * h + p * q - common);
}
