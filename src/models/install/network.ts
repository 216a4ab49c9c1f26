import {
  type ConvertedModel,
  convertNetwork,
  isFloat,
  readTflite,
  type SourceNetwork,
} from '../../convert/convert.js';
import { type OwnOnnxModel, readOwnOnnx } from '../../convert/own-onnx/convert.js';
import { parseSafetensors } from '../../convert/safetensors/file.js';
import { TRAINED_CALIBRATION, trainedMobilenetV1 } from '../../convert/safetensors/mobilenet-v1.js';
import { NO_PICTURE_OPTIONS, type PictureOptions } from '../../convert/scaling.js';
import { readTfjsNetwork } from '../../convert/tfjs/network.js';
import { readTfliteMetadata } from '../../convert/tflite/metadata.js';
import { codedError, isCodedError } from '../../errors.js';
import { identify } from '../../families/families.js';
import type { Identity } from '../../families/family.js';
import { parseLabels } from '../labels.js';
import { NUMERIC_FORMS, type NumericForm } from '../variant.js';
import { type CalibrationRequest, calibrateNetwork } from './calibrate.js';
import { measureBoxes } from './measure-boxes.js';
import { measureScores } from './measure-scores.js';
import { calibrateOnnx } from './onnx-integers.js';
import { packedFile } from './packed-files.js';
import { readAlike } from './read-alike.js';
import type { ConversionRequest } from './request.js';
import { readBytes, readCalibration } from './source-files.js';

/** A network that was read and can be written in numeric forms. */
export interface OpenNetwork {
  convert(form: NumericForm): ConvertedModel;
  /** Null for a network of no known family. */
  readonly identity: Identity | null;
  readonly usualForms: readonly NumericForm[];
  /** Those that the file brings, as they stand in it; null for none. */
  readonly labels: readonly string[] | null;
  /** Whether integer forms were made of a float network by pictures. */
  readonly calibrated: boolean;
}

/**
 * Reads the files of a network, and measures it on pictures where it is to be quantized by them.
 *
 * @throws the readers' MND_MODEL_… codes, MND_INPUT_MISSING, MND_USAGE
 */
export async function openNetwork(request: ConversionRequest): Promise<OpenNetwork> {
  const { files, picture = NO_PICTURE_OPTIONS } = request;
  switch (files.format) {
    case 'onnx':
      return openOnnx(await readBytes(files.file), request);
    case 'safetensors':
      refuseScaling(picture, 'a network of training/train.py, whose pictures are in [-1, 1]');
      return openTrained(await readBytes(files.file), files.size);
    case 'tflite': {
      const bytes = await readBytes(files.file);
      const network = readTflite(bytes, picture);
      const labels = await packedLabels(bytes);
      return openGraph(network, labels, files.calibration, request);
    }
    case 'tfjs': {
      const modelJson = await readBytes(files.modelJson);
      const shards = await Promise.all(files.shards.map(readBytes));
      const network = readTfjsNetwork({ modelJson, shards }, picture);
      if (network.kind === 'float-detector') {
        refuseScaling(picture, 'a TensorFlow.js detector, whose graph says it');
      }
      return openGraph(network, null, files.calibration, request);
    }
  }
}

/** @param stored a calibration that was measured before; null for none */
async function openGraph(
  network: SourceNetwork,
  labels: OpenNetwork['labels'],
  stored: string | null,
  { calibration: asked }: ConversionRequest,
): Promise<OpenNetwork> {
  const known = stored === null ? null : await readCalibration(stored);
  const quantized = !isFloat(network.graph);
  const measured =
    known === null && !quantized && asked !== undefined
      ? await calibrateNetwork(network, asked)
      : null;
  const calibration = known ?? measured;
  // A float network cannot become an integer one before it has been calibrated.
  const floatForms: readonly NumericForm[] =
    calibration === null ? ['float32'] : ['symmetric', 'reduced', 'float32'];
  return {
    convert: (form) => convertNetwork(network, { form, calibration }),
    usualForms: quantized ? NUMERIC_FORMS : floatForms,
    identity: identify(network.graph),
    labels,
    calibrated: measured !== null,
  };
}

/** The labels that lie packed behind a .tflite file, where its metadata names them. */
async function packedLabels(bytes: Uint8Array): Promise<readonly string[] | null> {
  for (const name of readTfliteMetadata(bytes).labelFiles) {
    const file = await packedFile(bytes, name);
    if (file !== null) return parseLabels(file, name);
  }
  return null;
}

function openTrained(bytes: Uint8Array, size: number): OpenNetwork {
  const graph = trainedMobilenetV1(parseSafetensors(bytes), size);
  const calibration = TRAINED_CALIBRATION;
  return {
    convert: (form) =>
      convertNetwork({ kind: 'classifier', graph, scores: 'softmax' }, { form, calibration }),
    identity: identify(graph),
    usualForms: ['symmetric', 'reduced'],
    labels: null,
    calibrated: false,
  };
}

/** An ONNX file stays what it is; pictures make integer forms besides. */
async function openOnnx(bytes: Uint8Array, request: ConversionRequest): Promise<OpenNetwork> {
  const { picture = NO_PICTURE_OPTIONS, labelCount = null, calibration } = request;
  const read = readOwnOnnx(bytes, picture);
  if (calibration !== undefined && read.model.form !== 'float32') throw quantizedAlready();
  if (read.kind === 'classifier') {
    const { model, scores } = await measureScores(read.model);
    const whole = { ...model, head: { ...model.head, scores } };
    if (calibration === undefined) return inOneForm(whole, null);
    return openClassifier(whole, request, calibration);
  }
  const { labels } = read.model;
  const count = labelCount ?? labels?.length ?? null;
  if (count === null) {
    throw codedError('MND_MODEL_QUESTION', {
      subject: '--labels',
      expected: 'the names of a detector’s classes, for the file brings none',
      next: 'give --labels FILE, one label a line in the order of the classes',
    });
  }
  const whole = { ...read.model, head: await measureBoxes(read.model, count) };
  if (calibration === undefined) return inOneForm(whole, labels);
  return inIntegers(await calibrateOnnx(whole, calibration), labels);
}

/** Operator by operator where it is of the MobileNet kind, which is the faster one; else its convolutions. */
async function openClassifier(
  whole: OwnOnnxModel,
  request: ConversionRequest,
  calibration: CalibrationRequest,
): Promise<OpenNetwork> {
  const { scores = 'softmax' } = whole.head;
  const graph = await readAlike(whole).catch((error: unknown) => {
    if (isCodedError(error) && error.code === 'MND_MODEL_OPERATOR') return null;
    throw error;
  });
  if (graph === null) return inIntegers(await calibrateOnnx(whole, calibration), null);
  const network = { kind: 'classifier', graph, scores } as const;
  const quantized = await openGraph(network, null, null, request);
  return {
    ...quantized,
    convert: (form) => (form === 'float32' ? whole : quantized.convert(form)),
  };
}

function inIntegers(convert: OpenNetwork['convert'], labels: OpenNetwork['labels']): OpenNetwork {
  const usualForms = ['symmetric', 'reduced', 'float32'] as const;
  return { convert, identity: null, usualForms, labels, calibrated: true };
}

function quantizedAlready(): Error {
  return codedError('MND_USAGE', {
    subject: '--calibrate',
    expected: 'a float network',
    found: 'an ONNX network that is quantized already',
    next: 'leave --calibrate out, and the file is used as it is',
  });
}

function inOneForm(model: ConvertedModel, labels: OpenNetwork['labels']): OpenNetwork {
  return {
    convert(form) {
      if (form === model.form) return model;
      throw codedError('MND_MODEL_MISMATCH', {
        subject: `numeric form ${form}`,
        expected: `${model.form}, as the ONNX file is`,
      });
    },
    identity: null,
    usualForms: [model.form],
    labels,
    calibrated: false,
  };
}

/** @throws MND_USAGE where somebody says what is not theirs to say: it would have no effect */
function refuseScaling({ scaling, reversed }: PictureOptions, found: string): void {
  if (scaling === null && !reversed) return;
  throw codedError('MND_USAGE', {
    subject: '--mean, --scale and --channels',
    expected: 'a network that does not say how its numbers come from pixels',
    found,
    next: 'leave them out',
  });
}
