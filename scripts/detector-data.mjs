// The detectors' files and pictures, and running them: shared by fetching, calibration and evaluation.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTflite } from '#mobilenetd/convert/convert.js';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { ort, sessionOptions } from '#mobilenetd/inference/runtime.js';
import { decodePicture } from '#mobilenetd/vision/decode.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';
import { createSamplingPlan } from '#mobilenetd/vision/sampling.js';

export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..');
export const CALIBRATION_PICTURES = 30;

export const catalogFile = join(packageRoot, 'models/catalog.json');

/** The catalogue's float detectors from npm: those that need a calibration. */
export function floatDetectors() {
  const { models } = JSON.parse(readFileSync(catalogFile, 'utf8'));
  return models.filter(({ calibration }) => calibration !== undefined);
}

/** @param name of a detector in the catalogue; the first one if left out */
export function detectorEntry(name) {
  const entries = floatDetectors();
  const entry = name === undefined ? entries[0] : entries.find((known) => known.name === name);
  if (entry !== undefined) return entry;
  throw new Error(`no float detector ${name}; there are ${entries.map((e) => e.name).join(', ')}`);
}

/** Where fetch-detector.mjs puts a model. */
export function detectorFolder({ name }) {
  return join(process.env.MOBILENETD_DETECTORS ?? join(packageRoot, '.cache'), name);
}

/** The float graph of a detector. */
export function readDetector(entry) {
  const folder = detectorFolder(entry);
  if (entry.format === 'tflite')
    return readTflite(readFileSync(join(folder, 'model.tflite'))).graph;
  const shards = readdirSync(folder).filter((name) => /^group1-shard\d+of\d+$/.test(name));
  return readTfjs({
    modelJson: readFileSync(join(folder, 'model.json')),
    shards: shards.sort().map((name) => readFileSync(join(folder, name))),
  });
}

export function labelsOf({ labels }) {
  return readFileSync(join(packageRoot, 'models/labels', labels), 'utf8')
    .trim()
    .split('\n');
}

export function calibrationFile({ calibration }) {
  return join(packageRoot, 'models', calibration);
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

/** The whole picture, as the daemon resizes it. */
export async function loadPicture(file, size) {
  return resizedPicture(readFileSync(file), size, file);
}

/** @param encoded a picture in any format that sharp reads */
export async function resizedPicture(encoded, size, subject) {
  const { width, height, bytes } = await decodePicture(encoded, { subject });
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

/** A session as the daemon makes it: right on every processor. */
export function openSession(onnx, form = 'float32', threads = 2) {
  return ort.InferenceSession.create(onnx, sessionOptions(threads, form));
}

export function infer(session, picture, size) {
  return session.run({ input: new ort.Tensor('uint8', picture, [1, size, size, 3]) });
}
