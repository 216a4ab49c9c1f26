import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { builtCheck } from '../../built-check.js';
import { codedError } from '../../errors.js';
import type { ModelDescription } from '../catalog/catalog.js';
import { NAME_PATTERN } from '../catalog/catalog-schema.js';
import { asDiskError } from '../fetch/disk.js';
import { readJsonFile } from '../json-file.js';
import { readLabels } from '../labels.js';
import type { NumericForm, Variant } from '../variant.js';
import type { FormRecord } from './conversion.js';

export const MODEL_FILE = 'model.json';
export const LABELS_FILE = 'labels.txt';

/** What model.json says. Versions of this program that write it differently have another `schema`. */
export interface ModelRecord extends ModelDescription {
  readonly schema: 1;
  /** Program and version. */
  readonly convertedBy: string;
  /** Where it came from, with the checksums of the files that were converted. */
  readonly origin: {
    readonly source: string;
    readonly files: readonly { readonly name: string; readonly sha256: string }[];
  };
  readonly forms: Readonly<Partial<Record<NumericForm, FormRecord>>>;
}

export interface InstalledModel extends ModelRecord {
  /** Absolute path. */
  readonly folder: string;
  readonly labels: readonly string[];
}

const validate = builtCheck<ModelRecord>('installed');
const NAME = new RegExp(NAME_PATTERN);

/** Names of the folders that hold a model, whole or not, in order. @throws MND_MODEL_UNWRITABLE */
export async function installedNames(dir: string): Promise<string[]> {
  let entries: Awaited<ReturnType<typeof listFolders>>;
  try {
    entries = await listFolders(dir);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw asDiskError(error, dir);
  }
  return entries.filter((name) => NAME.test(name)).sort();
}

async function listFolders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/**
 * Reads what is installed under a name: its record, its labels, and that its files are there in
 * full. Their checksums are held against the record when they are loaded (inference/model.ts).
 *
 * @throws MND_MODEL_INVALID (naming the place), MND_LABELS_INVALID
 */
export async function readInstalled(dir: string, name: string): Promise<InstalledModel> {
  const folder = join(dir, name);
  const next = `install ${name} again`;
  const record = await readJsonFile(join(folder, MODEL_FILE), {
    validate,
    code: 'MND_MODEL_INVALID',
    next,
  });
  if (record.name !== name) {
    throw codedError('MND_MODEL_INVALID', {
      subject: folder,
      expected: name,
      found: record.name,
      next,
    });
  }
  const labels = await readLabelsOf(folder, next);
  for (const form of Object.values(record.forms)) await requireWhole(folder, form, next);
  for (const { head } of Object.values(record.forms)) {
    if (head.classes === labels.length) continue;
    throw codedError('MND_LABELS_INVALID', {
      subject: join(folder, LABELS_FILE),
      expected: `${head.classes} labels, one a class`,
      found: `${labels.length}`,
      next,
    });
  }
  return { ...record, folder, labels };
}

async function readLabelsOf(folder: string, next: string): Promise<string[]> {
  const file = join(folder, LABELS_FILE);
  const found = await stat(file).catch(() => null);
  if (found?.isFile()) return readLabels(file);
  throw codedError('MND_LABELS_INVALID', {
    subject: file,
    expected: 'a file',
    found: 'none',
    next,
  });
}

async function requireWhole(folder: string, form: FormRecord, next: string): Promise<void> {
  const file = join(folder, form.file);
  const found = await stat(file).catch(() => null);
  if (found?.size === form.bytes) return;
  throw codedError('MND_MODEL_INVALID', {
    subject: file,
    expected: `${form.bytes} bytes`,
    found: found === null ? 'no file' : `${found.size}`,
    next,
  });
}

/** The rung's name: the model's own unless it runs at several sizes. */
export function variantName(model: Pick<ModelDescription, 'name' | 'sizes'>, size: number): string {
  return model.sizes.length === 1 ? model.name : `${model.name}_${size}`;
}

/** An installed model in one form as variants, one a size, the native size first. */
export function variantsOf(model: InstalledModel, form: NumericForm): Variant[] {
  const record = model.forms[form];
  if (record === undefined) return [];
  return model.sizes.map((size, index) => {
    const quality = model.quality?.find((measured) => measured.size === size);
    return {
      name: variantName(model, size),
      model: model.name,
      family: model.family,
      task: model.task,
      alpha: model.alpha,
      size,
      form,
      file: join(model.folder, record.file),
      sha256: record.sha256,
      input: record.input,
      head: record.head,
      preprocessing: { centralCrop: model.centralCrop },
      labels: model.labels,
      // What was published holds for the native size.
      accuracy: index === 0 ? model.accuracy : { top1: null, top5: null, map: null },
      multAdds: model.multAdds?.[index] ?? null,
      ...(quality !== undefined && { quality }),
      ...(model.ladder !== undefined && { ladder: model.ladder }),
    };
  });
}
