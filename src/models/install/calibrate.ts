import type { Frame } from '../../camera/source.js';
import type { Calibration } from '../../convert/calibration.js';
import type { ConvertedModel } from '../../convert/convert.js';
import { DETECTOR_SIZES } from '../../convert/float-detector.js';
import type { Graph } from '../../convert/graph.js';
import { type CalibrationPicture, measureCalibration } from '../../inference/calibrate.js';
import { createPreprocessor } from '../../inference/preprocess.js';
import { loadResize } from '../../inference/resize.js';
import { ort, sessionOptions } from '../../inference/runtime.js';
import { topClasses } from '../../vision/topk.js';
import { usualCrop } from './usual-crop.js';

/** Pictures that a float network is quantized by. */
export interface CalibrationRequest {
  readonly frames: readonly Frame[];
  /** Central part of the pictures that the network sees; null for what is usual for it. */
  readonly centralCrop: number | null;
}

/** What an integer form says beside the float one, on the calibration's own pictures. */
export interface CalibrationCost {
  readonly pictures: number;
  /** Those on which both name the same class first. */
  readonly agreed: number;
  /** Mean change of the score of the class that the float form names first. */
  readonly scoreChange: number;
}

/** A picture at the sides that a network takes. */
export async function shownPictures(
  { frames }: CalibrationRequest,
  sizes: readonly number[],
  centralCrop: number,
): Promise<readonly CalibrationPicture[]> {
  const preprocessor = createPreprocessor(loadResize().resize);
  const prepared: CalibrationPicture[] = [];
  for (const frame of frames) {
    const unpacked = await preprocessor.unpack(frame);
    for (const size of sizes) {
      const pixels = new Uint8Array(size * size * 3);
      preprocessor.fill(unpacked, null, { size, preprocessing: { centralCrop } }, pixels);
      prepared.push({ size, pixels });
    }
  }
  return prepared;
}

/** Calibrates the float graph of a classifier with one output of `classes` logits. */
export async function calibrateClassifier(
  graph: Graph,
  size: number,
  classes: number,
  request: CalibrationRequest,
): Promise<Calibration> {
  const crop = request.centralCrop ?? usualCrop(classes);
  return measureCalibration(graph, await shownPictures(request, [size], crop));
}

/** Calibrates the float graph of an SSD, whose outputs are boxes and scores in turn, at all its sizes. */
export async function calibrateDetector(
  graph: Graph,
  request: CalibrationRequest,
): Promise<Calibration> {
  const pictures = await shownPictures(request, DETECTOR_SIZES, request.centralCrop ?? 1);
  const scores = new Set(graph.outputs.filter((_, index) => index % 2 === 1));
  return measureCalibration(graph, pictures, scores);
}

/** Holds an integer form of a classifier against the float one. */
export async function measureCost(
  float: ConvertedModel,
  integer: ConvertedModel,
  request: CalibrationRequest,
): Promise<CalibrationCost | null> {
  if (float.head.kind !== 'classifier') return null;
  const crop = request.centralCrop ?? usualCrop(float.head.classes);
  const pictures = await shownPictures(request, float.input.sizes.slice(0, 1), crop);
  const expected = await scoresOf(float, pictures);
  const found = await scoresOf(integer, pictures);
  let agreed = 0;
  let change = 0;
  for (const [at, best] of expected.entries()) {
    const own = found[at];
    const first = best.keys().next().value ?? -1;
    if (own?.keys().next().value === first) agreed += 1;
    change += Math.abs((best.get(first) ?? 0) - (own?.get(first) ?? 0)) / expected.length;
  }
  return { pictures: pictures.length, agreed, scoreChange: change };
}

/** Scores by class, best first, of each picture. */
async function scoresOf(
  { onnx, form, head, input }: ConvertedModel,
  pictures: readonly CalibrationPicture[],
): Promise<ReadonlyMap<number, number>[]> {
  if (head.kind !== 'classifier') return [];
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, form));
  const answers: ReadonlyMap<number, number>[] = [];
  try {
    for (const { size, pixels } of pictures) {
      const picture = new ort.Tensor('uint8', pixels, [1, size, size, 3]);
      const data = (await session.run({ [input.name]: picture }))[head.logits.name]?.data;
      const values = data instanceof Uint8Array || data instanceof Float32Array ? data : [];
      const best = topClasses(
        Array.isArray(values) ? new Float32Array() : values,
        head.logits,
        head.classes,
        head.scores,
      );
      answers.push(new Map(best.map(({ index, score }) => [index, score])));
    }
  } finally {
    await session.release();
  }
  return answers;
}
