import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ConversionReport, ConvertedModel } from '../../convert/convert.js';
import { writeDurably } from '../../durable-file.js';
import { codedError } from '../../errors.js';
import { familyNamed } from '../../families/families.js';
import type { Identity } from '../../families/family.js';
import { LEAST_SIZE, MOST_SIZE } from '../catalog/catalog-schema.js';
import { asDiskError } from '../fetch/disk.js';
import type { ModelHead, ModelInput, NumericForm } from '../variant.js';
import { type CalibrationCost, measureCost } from './calibrate.js';
import { type OpenNetwork, openNetwork } from './network.js';
import type { ConversionRequest, ExpectedModel } from './request.js';

/** Share by which counted multiply-adds may differ from published ones, which are rounded. */
const MULT_ADDS_TOLERANCE = 0.02;

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

/** What quantizing a float network by pictures cost, where that was done. */
async function costOf(
  { convert, calibrated }: OpenNetwork,
  { calibration, forms }: ConversionRequest,
): Promise<CalibrationCost | null> {
  const wanted = forms === null || forms.includes('symmetric');
  if (calibration === undefined || !calibrated || !wanted) return null;
  return measureCost(convert('float32'), convert('symmetric'), calibration);
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
