import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PictureOptions } from '../../convert/scaling.js';
import { writeDurably } from '../../durable-file.js';
import { codedError } from '../../errors.js';
import { VERSION } from '../../package-root.js';
import type { ModelDescription } from '../catalog/catalog.js';
import { checksumOf } from '../fetch/checksum.js';
import { asDiskError } from '../fetch/disk.js';
import { fitLabels, formatLabels, requireDifferent } from '../labels.js';
import type { OnProgress } from '../progress.js';
import type { NumericForm } from '../variant.js';
import type { CalibrationCost, CalibrationRequest } from './calibrate.js';
import { runChild } from './child.js';
import type { Conversion } from './conversion.js';
import {
  type InstalledModel,
  LABELS_FILE,
  MODEL_FILE,
  type ModelRecord,
  readInstalled,
  variantsOf,
} from './installed.js';
import type { ConversionRequest, ExpectedModel, ModelFiles } from './request.js';
import { commit } from './staging.js';
import type { VerifyRequest } from './verify.js';

/** A Pi 3 needs seconds; only a process that hangs needs longer. */
const CHILD_TIMEOUT_MS = 300_000;

/** Where an installation stands; tests stop it there. */
export type InstallStep = 'fetched' | 'converted' | 'verified' | 'written' | 'committed';

export interface InstallOptions {
  /** The models' folder. */
  readonly dir: string;
  /** A folder from createStaging, on the same disk. The model's files are made in it. */
  readonly staging: string;
  readonly files: ModelFiles;
  /** Null for those that the file brings. */
  readonly labels: readonly string[] | null;
  readonly labelsSource: string;
  /** A rung of the same ladder, whose labels it must have. */
  readonly beside?: { readonly name: string; readonly labels: readonly string[] };
  /** Null for those that suit the network best. */
  readonly forms: readonly NumericForm[] | null;
  readonly picture?: PictureOptions;
  readonly calibration?: CalibrationRequest;
  readonly onCost?: (cost: CalibrationCost) => void;
  readonly expected: ExpectedModel;
  /** For people: an address, a package, a file name. */
  readonly source: string;
  /** The model's description, once it is known what the file holds. */
  describe(conversion: Conversion): ModelDescription;
  readonly name: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: InstallStep) => void | Promise<void>;
}

/**
 * Converts, verifies and puts in place. Conversion and the first run happen in processes of their
 * own; until both have succeeded nothing that is installed is touched.
 *
 * @throws the converter's MND_MODEL_… codes, MND_MODEL_VERIFY, MND_LABELS_INVALID
 */
export async function installModel(options: InstallOptions): Promise<InstalledModel> {
  const { dir, staging, name, onStep } = options;
  try {
    const made = make(options);
    // The runtime is loaded, in a process of its own, while the model is made.
    const [{ record, labels }] = await Promise.all([made, verify(made, options)]);
    await onStep?.('verified');
    await removeSources(staging);
    await writeDurably(join(staging, LABELS_FILE), formatLabels(labels));
    await writeDurably(join(staging, MODEL_FILE), `${JSON.stringify(record, null, 1)}\n`);
    await onStep?.('written');
    await commit(dir, staging, name);
    await onStep?.('committed');
    return await readInstalled(dir, name);
  } catch (error) {
    throw asDiskError(error, dir);
  }
}

interface Made {
  readonly record: ModelRecord;
  readonly labels: readonly string[];
}

async function make(options: InstallOptions): Promise<Made> {
  const { name, onStep, onProgress } = options;
  onProgress?.({ model: name, stage: 'convert' });
  const conversion = await convert(options);
  if (conversion.cost !== null) options.onCost?.(conversion.cost);
  await onStep?.('converted');
  const record = await recordOf(options, conversion);
  const labels = labelsFor(options, conversion);
  onProgress?.({ model: name, stage: 'verify' });
  return { record, labels };
}

function convert({
  files,
  forms,
  staging,
  expected,
  picture,
  calibration,
  labels,
  name,
  signal,
}: InstallOptions): Promise<Conversion> {
  const request: ConversionRequest = {
    files,
    forms,
    folder: staging,
    expected,
    picture,
    labelCount: labels?.length ?? null,
    calibration,
  };
  return runChild<Conversion>({
    script: new URL('./convert-child.js', import.meta.url),
    request,
    code: 'MND_MODEL_INVALID',
    subject: name,
    timeout: CHILD_TIMEOUT_MS,
    signal,
  });
}

async function recordOf(options: InstallOptions, conversion: Conversion): Promise<ModelRecord> {
  const { files, source } = options;
  const paths = files.format === 'tfjs' ? [files.modelJson, ...files.shards] : [files.file];
  const origins = [];
  for (const path of paths) {
    origins.push({ name: basename(path), sha256: await checksumOf(path, 'sha256') });
  }
  return {
    schema: 1,
    ...options.describe(conversion),
    convertedBy: `mobilenetd ${VERSION}`,
    origin: { source, files: origins },
    forms: conversion.forms,
  };
}

function labelsFor(
  { labels, labelsSource, beside }: InstallOptions,
  { forms, labels: packed }: Conversion,
): string[] {
  const [form] = Object.values(forms);
  if (form === undefined)
    throw codedError('MND_INTERNAL', { subject: 'a conversion without forms' });
  const known = labels ?? packed;
  if (known !== null) {
    requireDifferent(known, labelsSource);
    const fitting = fitLabels(known, form.head, labelsSource);
    if (beside !== undefined) requireSame(fitting, labelsSource, beside);
    return fitting;
  }
  throw codedError('MND_MODEL_QUESTION', {
    subject: '--labels',
    expected: `a file of ${form.head.classes} labels, for the model brings none`,
    next: 'give --labels FILE, one label a line in the order of the classes',
  });
}

/** @throws MND_LABELS_INVALID where rungs of one ladder would not mean the same */
function requireSame(
  labels: readonly string[],
  subject: string,
  beside: NonNullable<InstallOptions['beside']>,
): void {
  const other = labels.findIndex((label, at) => label !== beside.labels[at]);
  if (other < 0 && labels.length === beside.labels.length) return;
  const text = (list: readonly string[]) => JSON.stringify(list[Math.max(0, other)] ?? null);
  throw codedError('MND_LABELS_INVALID', {
    subject,
    expected: `the ${beside.labels.length} labels of ${beside.name}, a rung of the same ladder, among them ${text(beside.labels)}`,
    found: `${labels.length}, with ${text(labels)} there`,
    next: 'give another name with --rung-of, or labels in the same order',
  });
}

async function verify(
  made: Promise<Made>,
  { name, staging, signal }: InstallOptions,
): Promise<void> {
  const request = made.then(({ record, labels }): VerifyRequest => {
    const forms = Object.keys(record.forms) as NumericForm[];
    const model: InstalledModel = { ...record, folder: staging, labels };
    return { variants: forms.flatMap((form) => variantsOf(model, form)) };
  });
  await runChild<void>({
    script: new URL('./verify-child.js', import.meta.url),
    request,
    code: 'MND_MODEL_VERIFY',
    subject: name,
    timeout: CHILD_TIMEOUT_MS,
    signal,
  });
}

/** What was unpacked for the conversion is not part of the model. */
async function removeSources(staging: string): Promise<void> {
  await rm(join(staging, SOURCE_FOLDER), { recursive: true, force: true });
}

/** Folder inside the staging folder that downloads are unpacked to. */
export const SOURCE_FOLDER = 'source';
