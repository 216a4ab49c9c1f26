import type { SourceNetwork } from '../convert.js';
import { NO_PICTURE_OPTIONS, type PictureOptions } from '../scaling.js';
import { readTfjsClassifier } from './classifier.js';
import { parseModelJson } from './manifest.js';
import { readDetector, type TfjsFiles } from './read.js';
import { isDetector } from './subgraph.js';
import { openWeights } from './weights.js';

/**
 * Reads a TensorFlow.js model: a detector of TensorFlow's Object Detection API, or a classifier, of layers
 * or as a graph; weights as they are or in fewer bits.
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_TRUNCATED, MND_MODEL_TOO_LARGE, MND_MODEL_SHAPE,
 *   MND_MODEL_MISMATCH, MND_MODEL_OPERATOR, MND_MODEL_QUESTION
 */
export function readTfjsNetwork(
  files: TfjsFiles,
  options: PictureOptions = NO_PICTURE_OPTIONS,
): SourceNetwork {
  const model = parseModelJson(files.modelJson);
  const constants = openWeights(model, files.shards);
  if (model.kind === 'graph' && isDetector(model)) {
    return { kind: 'float-detector', graph: readDetector(model, constants) };
  }
  return { kind: 'classifier', ...readTfjsClassifier(model, constants, options) };
}
