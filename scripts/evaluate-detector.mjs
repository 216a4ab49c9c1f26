// Compares the int8 form of ssdlite_mobilenet_v2_coco with float32 on the pictures that calibration
// did not see: `node scripts/evaluate-detector.mjs` (after calibrate-detector.mjs). A float detection
// is matched if the int8 form has one of the same class that overlaps it by more than half.
// One JSON object for each input size; exit status 1 if a limit is broken.
import { readFileSync } from 'node:fs';
import { parseCalibration } from '#mobilenetd/convert/calibration.js';
import { convertDetectorGraph } from '#mobilenetd/convert/convert-tfjs.js';
import { createAnchors, decodeDetections } from '#mobilenetd/vision/ssd.js';
import {
  calibrationFile,
  infer,
  loadPicture,
  mirrored,
  openSession,
  pictureFiles,
  readDetector,
} from './detector-data.mjs';

const THRESHOLD = 0.4;
const LIMITS = { matched: 0.97, extra: 0.05, meanScoreChange: 0.02 };

const calibration = parseCalibration(JSON.parse(readFileSync(calibrationFile(), 'utf8')));
const source = readDetector();
const float = await open('float32');
const int8 = await open('symmetric');
const { heldOut } = pictureFiles();

for (const size of int8.model.input.sizes) {
  const count = { pictures: 0, float: 0, int8: 0, matched: 0, change: 0 };
  for (const file of heldOut) {
    const picture = await loadPicture(file, size);
    for (const view of [picture, mirrored(picture, size)]) {
      compare(count, await detect(float, view, size), await detect(int8, view, size));
    }
  }
  const result = {
    size,
    pictures: count.pictures,
    float: count.float,
    int8: count.int8,
    matched: share(count.matched, count.float),
    extra: share(count.int8 - count.matched, count.float),
    meanScoreChange: share(count.change, count.matched),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  const { matched, extra, meanScoreChange } = LIMITS;
  const good = result.matched >= matched && result.extra <= extra;
  if (size === 300 && !(good && result.meanScoreChange <= meanScoreChange)) process.exitCode = 1;
}

async function open(form) {
  const model = convertDetectorGraph(source, { form, calibration });
  return { model, session: await openSession(model.onnx) };
}

async function detect({ model, session }, picture, size) {
  const results = await infer(session, picture, size);
  const outputs = model.head.layers.map(({ boxes, scores }) => {
    return { boxes: results[boxes.name].data, scores: results[scores.name].data };
  });
  const anchors = createAnchors(model.head, size, size);
  return decodeDetections(outputs, model.head, anchors, { threshold: THRESHOLD });
}

function compare(count, expected, found) {
  const left = new Set(found);
  for (const { index, score, box } of expected) {
    const match = [...left].find((other) => other.index === index && iou(other.box, box) > 0.5);
    if (match === undefined) continue;
    left.delete(match);
    count.matched += 1;
    count.change += Math.abs(match.score - score);
  }
  count.pictures += 1;
  count.float += expected.length;
  count.int8 += found.length;
}

function iou([x, y, width, height], [x2, y2, width2, height2]) {
  const across = Math.min(x + width, x2 + width2) - Math.max(x, x2);
  const down = Math.min(y + height, y2 + height2) - Math.max(y, y2);
  if (across <= 0 || down <= 0) return 0;
  return (across * down) / (width * height + width2 * height2 - across * down);
}

function share(part, whole) {
  return Number((part / whole).toFixed(4));
}
