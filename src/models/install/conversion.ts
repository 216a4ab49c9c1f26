import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Calibration, parseCalibration } from '../../convert/calibration.js';
import {
  type ConversionReport,
  type ConvertedModel,
  convertNetwork,
  isFloat,
  readTflite,
  type TfliteNetwork,
} from '../../convert/convert.js';
import { convertDetectorGraph } from '../../convert/float-detector.js';
import { convertOwnOnnx } from '../../convert/own-onnx/convert.js';
import { parseSafetensors } from '../../convert/safetensors/file.js';
import { TRAINED_CALIBRATION, trainedMobilenetV1 } from '../../convert/safetensors/mobilenet-v1.js';
import { NO_PICTURE_OPTIONS, type PictureOptions } from '../../convert/scaling.js';
import { readTfjs } from '../../convert/tfjs/read.js';
import { readTfliteMetadata } from '../../convert/tflite/metadata.js';
import { codedError, messageOf } from '../../errors.js';
import { familyNamed, identify } from '../../families/families.js';
import type { Identity } from '../../families/family.js';
import { LEAST_SIZE, MOST_SIZE } from '../catalog/catalog-schema.js';
import { asDiskError } from '../fetch/disk.js';
import { parseLabels } from '../labels.js';
import { type ModelHead, type ModelInput, NUMERIC_FORMS, type NumericForm } from '../variant.js';
import {
  type CalibrationCost,
  type CalibrationRequest,
  calibrateClassifier,
  calibrateDetector,
  measureCost,
} from './calibrate.js';
import { measureScores } from './measure-scores.js';
import { packedFile } from './packed-files.js';
import { writeDurably } from './staging.js';

/** The largest file that is read into memory; the converter has its own, narrower bounds. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Share by which counted multiply-adds may differ from published ones, which are rounded. */
const MULT_ADDS_TOLERANCE = 0.02;

/** The network's files on this machine. */
export type ModelFiles =
  | { readonly format: 'tflite'; readonly file: string; readonly calibration: string | null }
  | {
      readonly format: 'tfjs';
      readonly modelJson: string;
      /** In the order of the manifest. */
      readonly shards: readonly string[];
      readonly calibration: string | null;
    }
  | { readonly format: 'onnx'; readonly file: string }
  /** What training/train.py writes: one file for several input sizes, of which one is meant. */
  | { readonly format: 'safetensors'; readonly file: string; readonly size: number };

/** What a file must turn out to be; absent fields are not looked at. */
export interface ExpectedModel {
  readonly family?: string;
  readonly alpha?: number | null;
  readonly sizes?: readonly number[];
  /** Millions, at the native size. */
  readonly multAdds?: number;
}

export interface ConversionRequest {
  readonly files: ModelFiles;
  /** Null for those that suit the network best. */
  readonly forms: readonly NumericForm[] | null;
  /** What was said of the picture; absent: nothing. */
  readonly picture?: PictureOptions;
  /** What a float network gets integer forms by; absent: it stays as it is. */
  readonly calibration?: CalibrationRequest;
  /** Existing folder that gets `model.<form>.onnx`. */
  readonly folder: string;
  readonly expected: ExpectedModel;
}

export interface FormFile {
  /** Name inside the model's folder. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** One network in several numeric forms; input and head are those of the first that is integer. */
export interface Conversion {
  readonly forms: Readonly<Partial<Record<NumericForm, FormRecord>>>;
  /** Null for a network of no known family. */
  readonly identity: Identity | null;
  /** Those that the file brings, as they stand in it; null for none. */
  readonly labels: readonly string[] | null;
  /** What quantizing here cost; null where nothing was quantized here. */
  readonly cost: CalibrationCost | null;
}

export interface FormRecord extends FormFile {
  readonly input: ModelInput;
  readonly head: ModelHead;
  readonly report: ConversionReport;
}

/**
 * Converts a network into every form asked for and writes the ONNX files.
 *
 * @throws the converter's MND_MODEL_… codes; MND_MODEL_MISMATCH if it is not what was expected
 */
export async function convertFiles(request: ConversionRequest): Promise<Conversion> {
  const { folder, expected } = request;
  const network = await openNetwork(request);
  const { convert, identity, usualForms, labels } = network;
  requireIdentity(identity, expected);
  const forms: Partial<Record<NumericForm, FormRecord>> = {};
  for (const form of request.forms ?? usualForms) {
    const model = convert(form);
    requireNetwork(model, expected);
    forms[form] = await writeModel(folder, model);
  }
  return { forms, identity, labels, cost: await costOf(network, request) };
}

interface Network {
  convert(form: NumericForm): ConvertedModel;
  readonly identity: Conversion['identity'];
  readonly usualForms: readonly NumericForm[];
  readonly labels: Conversion['labels'];
  /** Whether integer forms were made of a float network by pictures. */
  readonly calibrated: boolean;
}

/** What quantizing a float network by pictures cost, where that was done. */
async function costOf(
  { convert, calibrated }: Network,
  { calibration, forms }: ConversionRequest,
): Promise<CalibrationCost | null> {
  const wanted = forms === null || forms.includes('symmetric');
  if (calibration === undefined || !calibrated || !wanted) return null;
  return measureCost(convert('float32'), convert('symmetric'), calibration);
}

async function openNetwork(request: ConversionRequest): Promise<Network> {
  const { files, picture = NO_PICTURE_OPTIONS } = request;
  if (files.format === 'onnx') return openOnnx(await readBytes(files.file), picture);
  if (files.format === 'safetensors') {
    refuseScaling(picture, 'a network of training/train.py, whose pictures are in [-1, 1]');
    return openTrained(await readBytes(files.file), files.size);
  }
  const known = files.calibration === null ? null : await readCalibration(files.calibration);
  if (files.format === 'tflite') {
    const bytes = await readBytes(files.file);
    const network = readTflite(bytes, picture);
    const quantized = !isFloat(network.graph);
    const measured = known === null && !quantized ? await calibrate(network, request) : null;
    const calibration = known ?? measured;
    return {
      convert: (form) => convertNetwork(network, { form, calibration }),
      usualForms: quantized ? NUMERIC_FORMS : floatForms(calibration),
      identity: identify(network.graph),
      labels: await packedLabels(bytes),
      calibrated: measured !== null,
    };
  }
  refuseScaling(picture, 'a TensorFlow.js network, whose graph says it');
  const modelJson = await readBytes(files.modelJson);
  const shards = await Promise.all(files.shards.map(readBytes));
  const graph = readTfjs({ modelJson, shards });
  const asked = request.calibration;
  const measured =
    known === null && asked !== undefined ? await calibrateDetector(graph, asked) : null;
  const calibration = known ?? measured;
  return {
    convert: (form) => convertDetectorGraph(graph, { form, calibration }),
    usualForms: floatForms(calibration),
    identity: identify(graph),
    labels: null,
    calibrated: measured !== null,
  };
}

/** Shows pictures to a float network and measures; null where none were given. */
async function calibrate(
  network: TfliteNetwork,
  { calibration }: ConversionRequest,
): Promise<Calibration | null> {
  if (calibration === undefined) return null;
  const { graph } = network;
  if (network.kind === 'float-detector') return calibrateDetector(graph, calibration);
  if (network.kind !== 'classifier') return null;
  const [, size = 0] = graph.tensors.get(graph.inputs[0] ?? '')?.shape ?? [];
  const classes = graph.tensors.get(graph.outputs[0] ?? '')?.shape.at(-1) ?? 0;
  return calibrateClassifier(graph, size, classes, calibration);
}

/** The labels that lie packed behind a .tflite file, where its metadata names them. */
async function packedLabels(bytes: Uint8Array): Promise<readonly string[] | null> {
  for (const name of readTfliteMetadata(bytes).labelFiles) {
    const file = await packedFile(bytes, name);
    if (file !== null) return parseLabels(file, name);
  }
  return null;
}

/** A float network cannot become an integer one before it has been calibrated. */
function floatForms(calibration: Calibration | null): readonly NumericForm[] {
  return calibration === null ? ['float32'] : ['symmetric', 'reduced', 'float32'];
}

function openTrained(bytes: Uint8Array, size: number): Network {
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

/** An ONNX file stays what it is, so it has one form. */
async function openOnnx(bytes: Uint8Array, picture: PictureOptions): Promise<Network> {
  const converted = convertOwnOnnx(bytes, picture);
  const scores = await measureScores(converted);
  const model = { ...converted, head: { ...converted.head, scores } };
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
    labels: null,
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

async function readCalibration(file: string): Promise<Calibration> {
  const text = Buffer.from(await readBytes(file)).toString('utf8');
  try {
    return parseCalibration(JSON.parse(text));
  } catch (error) {
    throw codedError('MND_MODEL_INVALID', {
      subject: file,
      expected: 'a calibration',
      found: messageOf(error),
    });
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  let size: number;
  try {
    ({ size } = await stat(file));
    if (size <= MAX_BYTES) return await readFile(file);
  } catch (error) {
    throw codedError('MND_INPUT_MISSING', { subject: file, found: messageOf(error) });
  }
  throw codedError('MND_MODEL_TOO_LARGE', {
    subject: file,
    expected: `at most ${MAX_BYTES} bytes`,
    found: `${size}`,
  });
}

function requireIdentity(
  identity: Conversion['identity'],
  { family, alpha, sizes }: ExpectedModel,
): void {
  if (family === undefined || familyNamed(family)?.bindsNames !== true) return;
  const same =
    identity?.family === family && identity.alpha === alpha && identity.size === sizes?.[0];
  if (same) return;
  const text = (name: string, a: number | null | undefined, side: number | undefined) =>
    `${familyNamed(name)?.title ?? name}, alpha ${a}, ${side} px`;
  throw mismatch(
    text(family, alpha, sizes?.[0]),
    identity === null ? 'another network' : text(identity.family, identity.alpha, identity.size),
  );
}

function requireNetwork(
  { input, report }: ConvertedModel,
  { sizes, multAdds }: ExpectedModel,
): void {
  const strange = input.sizes.find((size) => size < LEAST_SIZE || size > MOST_SIZE);
  if (strange !== undefined) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: 'model input',
      expected: `${LEAST_SIZE} to ${MOST_SIZE} px`,
      found: `${strange} px`,
    });
  }
  const lacking = sizes?.find((size) => !input.sizes.includes(size));
  if (lacking !== undefined) {
    throw mismatch(`an input of ${lacking} px`, `${input.sizes.join(', ')} px`);
  }
  if (multAdds === undefined || report.multAdds === null) return;
  if (Math.abs(report.multAdds / multAdds - 1) > MULT_ADDS_TOLERANCE) {
    throw mismatch(`${multAdds} M multiply-adds`, `${report.multAdds.toFixed(1)} M`);
  }
}

function mismatch(expected: string, found: string): Error {
  return codedError('MND_MODEL_MISMATCH', { expected, found });
}

async function writeModel(folder: string, model: ConvertedModel): Promise<FormRecord> {
  const file = `model.${model.form}.onnx`;
  try {
    await writeDurably(join(folder, file), model.onnx);
  } catch (error) {
    throw asDiskError(error, folder);
  }
  return {
    file,
    sha256: createHash('sha256').update(model.onnx).digest('hex'),
    bytes: model.onnx.length,
    input: model.input,
    head: model.head,
    report: model.report,
  };
}
