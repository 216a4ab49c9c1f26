import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Frame } from '../../camera/source.js';
import type { Maker, PictureOptions } from '../../convert/scaling.js';
import { codedError, messageOf } from '../../errors.js';
import { claimIn, OTHER } from '../../families/families.js';
import { inputFailed } from '../../input-file.js';
import type { Catalog, CatalogEntry, ModelDescription } from '../catalog/catalog.js';
import { NAME_PATTERN } from '../catalog/catalog-schema.js';
import { checksumOf } from '../fetch/checksum.js';
import { parseLabels } from '../labels.js';
import { type NumericForm, type Task, taskOf } from '../variant.js';
import type { CalibrationCost } from './calibrate.js';
import type { Conversion } from './conversion.js';
import { kindOf } from './file-kind.js';
import type { ExpectedModel, ModelFiles } from './request.js';
import { usualCrop } from './usual-crop.js';

export interface AddOptions {
  /** Label file; see readLabels. Absent: those that the file brings. */
  readonly labels?: string;
  /** Absent: made of the file's name. */
  readonly name?: string;
  /** What the model must turn out to be for. */
  readonly task?: Task;
  /** Central part of a picture's sides that the network sees, above 0 and at most 1. */
  readonly centralCrop?: number;
  /** What its publisher or you found of it, percent: top-1 of a classifier, mAP of a detector. */
  readonly accuracy?: number;
  /** Name of the ladder that it is a rung of, with others of the same labels. */
  readonly ladder?: string;
  readonly forms?: readonly NumericForm[];
  /** Told what quantizing a float network cost. */
  readonly onCost?: (cost: CalibrationCost) => void;
  /** Pictures by which a float network gets integer forms; absent: it stays a float one. */
  readonly calibration?: readonly Frame[];
  /** What is known of the picture. */
  readonly picture?: Omit<PictureOptions, 'maker'>;
}

/**
 * The files of a user's model: a .tflite, an .onnx, or a TensorFlow.js model.json with its shards
 * beside it.
 *
 * @throws MND_INPUT_MISSING, MND_MODEL_INVALID
 */
export async function ownFiles(file: string): Promise<ModelFiles> {
  const found = await stat(file).catch((error: unknown) => {
    throw inputFailed(file, 'a model (.tflite, .onnx or model.json)', error);
  });
  if (!found.isFile()) {
    throw codedError('MND_INPUT_MISSING', {
      subject: file,
      expected: 'a file',
      found: found.isDirectory() ? 'a folder' : 'something else',
      next: 'give the .tflite, the .onnx or the model.json in it',
    });
  }
  const kind = await kindOf(file);
  if (kind === 'onnx') return { format: 'onnx', file };
  if (kind !== 'json') return { format: 'tflite', file, calibration: null };
  return { format: 'tfjs', modelJson: file, shards: await shardsOf(file), calibration: null };
}

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

async function shardsOf(file: string): Promise<string[]> {
  const invalid = (found: string) =>
    codedError('MND_MODEL_INVALID', {
      subject: file,
      expected: 'a TensorFlow.js model with a weightsManifest',
      found,
    });
  const { size } = await stat(file);
  if (size > MAX_MANIFEST_BYTES) throw invalid(`${size} bytes`);
  let model: unknown;
  try {
    model = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw invalid(messageOf(error));
  }
  const groups = fieldOf(model, 'weightsManifest');
  if (!Array.isArray(groups)) throw invalid('none');
  const names: unknown[] = groups.flatMap((group: unknown) => fieldOf(group, 'paths') ?? []);
  return names.map((path) => {
    // A shard lies beside its manifest; a path that leads elsewhere is not followed.
    const name = typeof path === 'string' ? path.replace(/^\.\//, '') : '';
    if (name !== basename(name) || name === '' || name === '..') {
      throw invalid(`the shard name ${JSON.stringify(path)?.slice(0, 100)}`);
    }
    return join(dirname(file), name);
  });
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

/**
 * The labels that lie beside a TensorFlow.js model as Teachable Machine exports it, in `metadata.json`; null
 * if there is no such file, or none that has any.
 */
export async function labelsBeside(file: string): Promise<readonly string[] | null> {
  const metadata = join(dirname(file), 'metadata.json');
  const bytes = await readFile(metadata).catch(() => null);
  if (bytes === null) return null;
  try {
    return parseLabels(bytes, metadata);
  } catch {
    return null;
  }
}

/** @throws MND_USAGE unless the name is safe as a folder and as a topic */
export function ownName(file: string, name: string | undefined): string {
  const made = basename(file, extname(file))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '_')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  const wanted = name ?? made;
  if (new RegExp(NAME_PATTERN).test(wanted) && wanted !== 'auto') return wanted;
  throw codedError('MND_USAGE', {
    subject: '--name',
    expected: 'small letters, digits, ".", "_", "-"; at most 64, the first a letter or a digit',
    found: JSON.stringify(wanted.slice(0, 100)),
  });
}

/** The catalogue's entry that this very file belongs to; null for a stranger. */
export async function knownFile(files: ModelFiles, catalog: Catalog): Promise<CatalogEntry | null> {
  const sha256 = await checksumOf(files.format === 'tfjs' ? files.modelJson : files.file, 'sha256');
  return (
    catalog.models.find(({ source }) =>
      source.members.some((member) => member.sha256 === sha256),
    ) ?? null
  );
}

/** What can be said of a user's model from its layers. */
export function describeOwn(
  name: string,
  { forms, identity }: Conversion,
  options: AddOptions,
): ModelDescription {
  const [form] = Object.values(forms);
  if (form === undefined)
    throw codedError('MND_INTERNAL', { subject: 'a conversion without forms' });
  const task = taskOf(form.head);
  if (options.task !== undefined && options.task !== task) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: name,
      expected: `a model that can ${options.task}`,
      found: `one that can ${task}`,
    });
  }
  return {
    name,
    ...(options.ladder !== undefined && { ladder: ladderName(options) }),
    family: identity?.family ?? OTHER,
    task,
    alpha: identity?.alpha ?? null,
    sizes: form.input.sizes,
    licence: null,
    centralCrop: options.centralCrop ?? (task === 'classify' ? usualCrop(form.head.classes) : 1),
    accuracy: {
      top1: task === 'classify' ? (options.accuracy ?? null) : null,
      top5: null,
      map: task === 'detect' ? (options.accuracy ?? null) : null,
    },
    multAdds:
      form.report.multAdds === null || form.input.sizes.length > 1 ? null : [form.report.multAdds],
  };
}

/** @throws MND_USAGE for a name that cannot be, or without a figure by which rungs are told apart */
export function ladderName({ ladder = '', accuracy }: AddOptions): string {
  if (accuracy === undefined) {
    throw codedError('MND_USAGE', {
      subject: '--rung-of',
      expected: 'a figure beside it, by which the governor tells rungs apart',
      next: 'give --accuracy PERCENT: the top-1 or mAP that its publisher names, or that you measured',
    });
  }
  if (new RegExp(NAME_PATTERN).test(ladder) && ladder !== 'auto') return ladder;
  throw codedError('MND_USAGE', {
    subject: '--rung-of',
    expected: 'small letters, digits, ".", "_", "-"; at most 64, the first a letter or a digit',
    found: JSON.stringify(ladder.slice(0, 100)),
  });
}

/** What a model's name says it is, which must then be true; empty for a name that says nothing. */
export function claimOf(name: string): ExpectedModel {
  const claim = claimIn(name);
  return claim === null ? {} : { family: claim.family, alpha: claim.alpha, sizes: [claim.size] };
}

/** Names that programs give the files which they make. */
const MAKERS: readonly (readonly [RegExp, Maker])[] = [
  [/^ei-.*(transfer-learning|nn-classifier|object-detection|tensorflow-lite)/i, 'edge-impulse'],
  [/^tflite_learn_\d+/i, 'edge-impulse'],
  [/^model_unquant\.tflite$/i, 'teachable-machine'],
];

/** The program that made a file, by its name; null if the name says nothing. */
export function makerOf(file: string): Maker | null {
  return MAKERS.find(([name]) => name.test(basename(file)))?.[1] ?? null;
}
