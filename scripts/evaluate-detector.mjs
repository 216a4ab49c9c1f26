// Measures a float detector's int8 form at each of its input sizes, on the pictures that calibration
// did not see and their mirror images, and on drawn scenes of the demo:
//
//   node scripts/evaluate-detector.mjs [NAME] [--reduced] [--native] [--write]        (after calibrate-detector.mjs)
//
// One JSON object for each size:
//   agreement  the int8 form against float32 at the same size
//   quality    the int8 form against float32 at the native size: what a rung of this size is worth
//   hits       pictures of a known object in which it is found
// A float detection is matched if the int8 form has one of the same class that overlaps it by more
// than half. `--write` puts the quality into the catalogue. Exit status 1 if a limit is broken.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import sharp from 'sharp';
import { createSceneRenderer } from '#mobilenetd/camera/sources/demo/renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '#mobilenetd/camera/sources/demo/scene.js';
import { parseCalibration } from '#mobilenetd/convert/calibration.js';
import { convertDetectorGraph } from '#mobilenetd/convert/float-detector.js';
import { createAnchors, decodeDetections } from '#mobilenetd/vision/ssd.js';
import {
  calibrationFile,
  catalogFile,
  detectorEntry,
  infer,
  labelsOf,
  loadPicture,
  mirrored,
  openSession,
  packageRoot,
  pictureFiles,
  readDetector,
  resizedPicture,
} from './detector-data.mjs';
import { objectsIn } from './detector-labels.mjs';

const THRESHOLD = 0.4;
const LIMITS = { matched: 0.97, extra: 0.05, scoreChange: 0.02 };
/** Moments of the demo's scene, seconds; its objects come and go. */
const MOMENTS = [2, 5, 8, 11, 14, 17, 20, 23, 26, 29];

const DRAWN = ['stop sign', 'clock', 'traffic light'];

const entry = detectorEntry(process.argv.slice(2).find((argument) => !argument.startsWith('--')));
const labels = labelsOf(entry);
const calibration = parseCalibration(JSON.parse(readFileSync(calibrationFile(entry), 'utf8')));
const source = readDetector(entry);
const float = await open('float32');
const int8 = await open(process.argv.includes('--reduced') ? 'reduced' : 'symmetric');
const [native] = entry.sizes;
const views = await allViews();
const reference = [];
for (const view of views) reference.push(await detect(float, await view.at(native), native));

const qualities = [];
const sizes = process.argv.includes('--native') ? [native] : entry.sizes;
for (const size of sizes) {
  const form = createCount();
  const rung = createCount();
  const hits = { labelled: 0, float: 0, int8: 0 };
  for (const [index, view] of views.entries()) {
    const picture = await view.at(size);
    const expected = await detect(float, picture, size);
    const found = await detect(int8, picture, size);
    compare(form, expected, found);
    compare(rung, reference[index], found);
    const wanted = view.objects.filter((label) => labels.includes(label));
    if (wanted.length === 0) continue;
    hits.labelled++;
    hits.float += reference[index].some(({ index: at }) => wanted.includes(labels[at])) ? 1 : 0;
    hits.int8 += found.some(({ index: at }) => wanted.includes(labels[at])) ? 1 : 0;
  }
  const quality = { size, ...sharesOf(rung), hits: share(hits.int8, hits.labelled) };
  qualities.push(quality);
  const agreement = sharesOf(form);
  const result = { model: entry.name, form: int8.model.form, size };
  process.stdout.write(
    `${JSON.stringify({ ...result, views: views.length, agreement, quality, hits })}\n`,
  );
  const { matched, extra, scoreChange } = agreement;
  const good = matched >= LIMITS.matched && extra <= LIMITS.extra;
  if (size === native && !(good && scoreChange <= LIMITS.scoreChange)) process.exitCode = 1;
}
if (process.argv.includes('--write')) writeQuality();

/** Every picture as a function of the input size, with the labels that its object may have. */
async function allViews() {
  const pictures = pictureFiles().heldOut.flatMap((file) => {
    const objects = objectsIn(basename(file));
    const whole = (size) => loadPicture(file, size);
    const mirror = async (size) => mirrored(await loadPicture(file, size), size);
    return [
      { at: whole, objects },
      { at: mirror, objects },
    ];
  });
  const renderer = createSceneRenderer(readFileSync(`${packageRoot}/assets/demo/coffee.jpg`));
  const raw = { width: SCENE_WIDTH, height: SCENE_HEIGHT, channels: 3 };
  for (const seconds of MOMENTS) {
    const pixels = await renderer.render(seconds, 0);
    const encoded = await sharp(pixels, { raw }).png().toBuffer();
    pictures.push({ at: (size) => resizedPicture(encoded, size, 'scene'), objects: DRAWN });
  }
  return pictures;
}

async function open(form) {
  const model = convertDetectorGraph(source, { form, calibration });
  return { model, session: await openSession(model.onnx, form) };
}

async function detect({ model, session }, picture, size) {
  const results = await infer(session, picture, size);
  const outputs = model.head.layers.map(({ boxes, scores }) => {
    return { boxes: results[boxes.name].data, scores: results[scores.name].data };
  });
  const anchors = createAnchors(model.head, size, size);
  return decodeDetections(outputs, model.head, anchors, { threshold: THRESHOLD });
}

function createCount() {
  return { expected: 0, found: 0, matched: 0, change: 0 };
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
  count.expected += expected.length;
  count.found += found.length;
}

function sharesOf({ expected, found, matched, change }) {
  return {
    matched: share(matched, expected),
    extra: share(found - matched, expected),
    scoreChange: share(change, matched),
  };
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

function writeQuality() {
  const catalog = JSON.parse(readFileSync(catalogFile, 'utf8'));
  const models = catalog.models.map((model) => {
    return model.name === entry.name ? { ...model, quality: qualities } : model;
  });
  writeFileSync(catalogFile, `${JSON.stringify({ ...catalog, models }, null, 2)}\n`);
}
