import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDetector } from '../convert/tfjs/build-tfjs.js';
import { CLASSES, tinyModel } from './sample-shelf.js';

export { CLASSES };

/** A TFLite file of a MobileNetV1 with pseudo-random weights: α = 0.25, 32 px. */
export function buildMobilenet(): Uint8Array {
  return tinyModel();
}

/** Writes a TensorFlow.js detector with random weights; returns its model.json. */
export function writeDetector(folder: string): string {
  const { document, shards } = buildDetector();
  const paths = document.weightsManifest.flatMap((group) => group.paths);
  for (const [index, path] of paths.entries()) {
    writeFileSync(join(folder, path), shards[index] ?? new Uint8Array());
  }
  const file = join(folder, 'model.json');
  writeFileSync(file, JSON.stringify(document));
  return file;
}
