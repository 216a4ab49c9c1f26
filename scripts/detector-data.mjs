// The detector's files and pictures, and running it: shared by the calibration and the evaluation.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { decodePicture } from '#mobilenetd/vision/decode.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';
import { createSamplingPlan } from '#mobilenetd/vision/sampling.js';

// Before onnxruntime loads: it would send telemetry.
process.env.ORT_DISABLE_TELEMETRY = '1';
const { InferenceSession, Tensor } = (await import('onnxruntime-node')).default;

export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..');
export const CALIBRATION_PICTURES = 30;

/** Where fetch-detector.mjs puts the model. */
export function detectorFolder() {
  return process.env.MOBILENETD_DETECTOR ?? join(packageRoot, '.cache/ssdlite_mobilenet_v2_coco');
}

export function readDetector() {
  const folder = detectorFolder();
  const shards = readdirSync(folder).filter((name) => /^group1-shard\d+of\d+$/.test(name));
  return readTfjs({
    modelJson: readFileSync(join(folder, 'model.json')),
    shards: shards.sort().map((name) => readFileSync(join(folder, name))),
  });
}

export function calibrationFile() {
  return join(packageRoot, 'models/ssdlite_mobilenet_v2_coco.calibration.json');
}

/** Pictures in order of name: 30, evenly spaced, to calibrate with, all others to evaluate with. */
export function pictureFiles() {
  const folder = process.env.MOBILENETD_TEST_IMAGES ?? join(packageRoot, '../shared/images');
  const files = readdirSync(folder)
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort();
  const chosen = Array.from({ length: CALIBRATION_PICTURES }, (_, k) => {
    return files[Math.floor((k * files.length) / CALIBRATION_PICTURES)];
  });
  const path = (name) => join(folder, name);
  return {
    calibration: chosen.map(path),
    heldOut: files.filter((name) => !chosen.includes(name)).map(path),
  };
}

/** The whole picture, as the daemon resizes it, and its mirror image. */
export async function loadPicture(file, size) {
  const { width, height, bytes } = await decodePicture(readFileSync(file), { subject: file });
  const layout = { width, height, format: 'rgb24', range: 'full' };
  const picture = new Uint8Array(size * size * 3);
  resizeBilinear(bytes, createSamplingPlan(layout, [0, 0, width, height], size, size), picture);
  return picture;
}

export function mirrored(picture, size) {
  const result = new Uint8Array(picture.length);
  for (let at = 0; at < picture.length; at += 3) {
    const pixel = at / 3;
    const column = pixel % size;
    result.set(picture.subarray(at, at + 3), (pixel + size - 1 - 2 * column) * 3);
  }
  return result;
}

export function openSession(onnx) {
  return InferenceSession.create(onnx, {
    intraOpNumThreads: 2,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
}

export function infer(session, picture, size) {
  return session.run({ input: new Tensor('uint8', picture, [1, size, size, 3]) });
}
