import type { Frame } from '../../camera/source.js';
import type { Calibration } from '../../convert/calibration.js';
import type { ConvertedModel, SourceNetwork } from '../../convert/convert.js';
import { DETECTOR_SIZES } from '../../convert/float-detector.js';
import { type Answers, COMPARED, compareAnswers } from '../../inference/agreement.js';
import { type CalibrationPicture, measureCalibration } from '../../inference/calibrate.js';
import { createPostprocessor } from '../../inference/postprocess.js';
import { createPreprocessor } from '../../inference/preprocess.js';
import { loadResize } from '../../inference/resize.js';
import { ort, sessionOptions } from '../../inference/runtime.js';
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
  /** A classifier: pictures. A detector: objects of at least 0.5 that the float form finds. */
  readonly compared: 'pictures' | 'objects';
  /** How many of them there are, and on how many both agree. */
  readonly total: number;
  readonly agreed: number;
  /** Objects that the integer form finds besides; 0 for a classifier. */
  readonly extra: number;
  /** Mean change of the score of what the float form names first, or of the objects that both find. */
  readonly scoreChange: number;
}

type Sides = readonly [height: number, width: number];

/** A picture at the sides that a network takes. */
export async function shownPictures(
  { frames }: CalibrationRequest,
  sides: readonly Sides[],
  centralCrop: number,
): Promise<readonly CalibrationPicture[]> {
  const preprocessor = createPreprocessor(loadResize().resize);
  const prepared: CalibrationPicture[] = [];
  for (const frame of frames) {
    const unpacked = await preprocessor.unpack(frame);
    for (const [height, width] of sides) {
      const pixels = new Uint8Array(height * width * 3);
      const size = Math.max(height, width);
      const input = { name: '', sizes: [size], sides: [height, width] as const };
      preprocessor.fill(unpacked, null, { size, preprocessing: { centralCrop }, input }, pixels);
      prepared.push({ height, width, pixels });
    }
  }
  return prepared;
}

/** Measures what quantizing a float network needs to know, at every size that it runs at. */
export async function calibrateNetwork(
  network: SourceNetwork,
  request: CalibrationRequest,
): Promise<Calibration> {
  const { graph } = network;
  const outputs = graph.outputs.map((name) => graph.tensors.get(name));
  const crop =
    request.centralCrop ??
    (network.kind === 'classifier' ? usualCrop(outputs[0]?.shape.at(-1) ?? 0) : 1);
  const [, height = 0, width = 0] = graph.tensors.get(graph.inputs[0] ?? '')?.shape ?? [];
  const sides: readonly Sides[] =
    network.kind === 'float-detector'
      ? DETECTOR_SIZES.map((size) => [size, size])
      : [[height, width]];
  return measureCalibration(graph, await shownPictures(request, sides, crop), scoresOf(network));
}

/** Outputs that are logits of a detector, of which most are of no interest. */
function scoresOf(network: SourceNetwork): ReadonlySet<string> {
  switch (network.kind) {
    case 'float-detector':
      return new Set(network.graph.outputs.filter((_, index) => index % 2 === 1));
    case 'detector':
      return new Set(network.layers.map(({ scores }) => scores));
    default:
      return new Set();
  }
}

/** Holds an integer form of a network against the float one. */
export async function measureCost(
  float: ConvertedModel,
  integer: ConvertedModel,
  request: CalibrationRequest,
): Promise<CalibrationCost> {
  const { head, input } = float;
  const isClassifier = head.kind === 'classifier';
  const crop = request.centralCrop ?? (isClassifier ? usualCrop(head.classes) : 1);
  const [size = 0] = input.sizes;
  const pictures = await shownPictures(request, [input.sides ?? [size, size]], crop);
  const expected = await answersOf(float, pictures);
  const found = await answersOf(integer, pictures);
  if (!isClassifier) {
    const { decisive, matched, extra, scoreChange } = compareAnswers(expected, found);
    const counts = { total: decisive, agreed: matched, extra, scoreChange };
    return { pictures: pictures.length, compared: 'objects', ...counts };
  }
  let agreed = 0;
  let change = 0;
  for (const [at, answers] of expected.entries()) {
    const own = found[at] ?? [];
    const [first] = answers;
    const same = own.find(({ index }) => index === first?.index);
    if (own[0]?.index === first?.index) agreed += 1;
    change += Math.abs((first?.score ?? 0) - (same?.score ?? 0)) / expected.length;
  }
  const total = pictures.length;
  return { pictures: total, compared: 'pictures', total, agreed, extra: 0, scoreChange: change };
}

/** What a form says of each picture: every class of a classifier, the objects of a detector. */
async function answersOf(
  { onnx, form, head, input }: ConvertedModel,
  pictures: readonly CalibrationPicture[],
): Promise<readonly Answers[]> {
  const [size = 0] = input.sizes;
  const read = createPostprocessor({ name: form, model: form, size, head, input, labels: [] });
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, form));
  const answers: Answers[] = [];
  try {
    for (const { height, width, pixels } of pictures) {
      const picture = new ort.Tensor('uint8', pixels, [1, height, width, 3]);
      const outputs = await session.run({ [input.name]: picture });
      const options = { ...COMPARED, topK: head.classes };
      answers.push(read(outputs, options, [0, 0, width, height]));
    }
  } finally {
    await session.release();
  }
  return answers;
}
