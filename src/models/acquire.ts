import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { NO_PICTURE_OPTIONS } from '../convert/scaling.js';
import { codedError } from '../errors.js';
import {
  type Catalog,
  type CatalogEntry,
  calibrationFileOf,
  describeSource,
  labelsFileOf,
} from './catalog/catalog.js';
import { checksumOf } from './fetch/checksum.js';
import { asDiskError } from './fetch/disk.js';
import { fetchModel, type SourceEnvironment } from './fetch/sources.js';
import {
  type AddOptions,
  claimOf,
  describeOwn,
  knownFile,
  labelsBeside,
  ladderName,
  makerOf,
  ownFiles,
  ownName,
} from './install/add.js';
import { type Bundle, openBundle } from './install/bundle.js';
import { kindOf } from './install/file-kind.js';
import { type InstallStep, installModel, SOURCE_FOLDER } from './install/install.js';
import { type InstalledModel, installedNames, readInstalled } from './install/installed.js';
import {
  describeOrigin,
  type LadderOptions,
  type LadderRung,
  readLadder,
} from './install/ladder.js';
import type { ExpectedModel, ModelFiles } from './install/request.js';
import { createStaging } from './install/staging.js';
import { readLabels } from './labels.js';
import { descriptionOf, examine, modelsOf } from './listing.js';
import type { OnProgress } from './progress.js';
import type { NumericForm } from './variant.js';

/** Where models come to, and from. */
export interface AcquireContext {
  /** Folder of the installed models. */
  readonly dir: string;
  readonly catalog: Catalog;
  readonly sources: SourceEnvironment;
  readonly onStep?: (step: InstallStep) => void | Promise<void>;
}

export interface PullOptions {
  /** Absent: the catalogue's. */
  readonly forms?: readonly NumericForm[];
  /** Fetch and convert also what is there already. */
  readonly force?: boolean;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface PullResult {
  readonly model: InstalledModel;
  /** False if it was there, whole, already. */
  readonly fresh: boolean;
}

/** Installs a model of the catalogue, unless it is there already. */
export async function pullEntry(
  entry: CatalogEntry,
  options: PullOptions,
  context: AcquireContext,
): Promise<PullResult> {
  const present = await readInstalled(context.dir, entry.name).catch(() => null);
  const forms = options.forms ?? entry.forms;
  if (present !== null && !options.force && (await isWhole(present, entry, forms))) {
    return { model: present, fresh: false };
  }
  // What the user has is not taken away by asking for another form.
  const kept = present === null ? [] : (Object.keys(present.forms) as NumericForm[]);
  const all = [...new Set([...kept, ...forms])];
  return { model: await fetchAndInstall(entry, all, options, context), fresh: true };
}

/** Whether nothing needs to be fetched: same source files, all forms, undamaged. */
async function isWhole(
  model: InstalledModel,
  entry: CatalogEntry,
  forms: readonly NumericForm[],
): Promise<boolean> {
  const origins = new Set(model.origin.files.map(({ sha256 }) => sha256));
  const { members } = entry.source;
  if (members.some(({ sha256 }) => sha256 !== null && !origins.has(sha256))) return false;
  if (forms.some((form) => model.forms[form] === undefined)) return false;
  for (const { file, sha256 } of Object.values(model.forms)) {
    if ((await checksumOf(join(model.folder, file), 'sha256')) !== sha256) return false;
  }
  return true;
}

function fetchAndInstall(
  entry: CatalogEntry,
  forms: readonly NumericForm[],
  { onProgress, signal }: PullOptions,
  { dir, catalog, sources, onStep }: AcquireContext,
): Promise<InstalledModel> {
  return inStaging(dir, entry.name, async (staging) => {
    const scratch = join(staging, SOURCE_FOLDER);
    await mkdir(scratch);
    const labelsSource = labelsFileOf(catalog, entry);
    const labels = await readLabels(labelsSource);
    const fetched = await fetchModel(entry, sources, { scratch, onProgress, signal });
    await onStep?.('fetched');
    const model = await installModel({
      dir,
      staging,
      name: entry.name,
      files: filesOf(entry, fetched.files, calibrationFileOf(catalog, entry)),
      labels,
      labelsSource,
      forms,
      expected: expectedOf(entry),
      source: describeSource(entry.source),
      describe: () => descriptionOf(entry),
      onProgress,
      signal,
      onStep,
    });
    await fetched.discard();
    return model;
  });
}

/**
 * Installs a file of the user's own. One that the catalogue knows by its checksum gets the
 * catalogue's description.
 */
export async function addOwn(
  file: string,
  options: AddOptions & PullOptions,
  context: AcquireContext,
): Promise<InstalledModel> {
  const isFile = (await stat(file).catch(() => null))?.isFile() === true;
  const kind = isFile ? await kindOf(file) : null;
  if (kind !== 'zip') {
    const labels = kind === 'json' ? await labelsBeside(file) : null;
    return addFile({ file, labels, maker: makerOf(file) }, file, options, context);
  }
  const scratch = await mkdtemp(join(tmpdir(), 'mobilenetd-'));
  try {
    return await addFile(await openBundle(file, scratch), file, options, context);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function rungsOf(dir: string, name: string): Promise<readonly InstalledModel[]> {
  return modelsOf(await examine(dir)).filter(({ ladder }) => ladder === name);
}

/** @param given the file as the user named it, which names the model and is told as its origin */
async function addFile(
  { file, labels: bundled, maker }: Bundle,
  given: string,
  options: AddOptions & PullOptions,
  { dir, catalog, onStep }: AcquireContext,
): Promise<InstalledModel> {
  const files = await ownFiles(file);
  const known = await knownFile(files, catalog);
  const name =
    options.name === undefined && known !== null ? known.name : ownName(given, options.name);
  await requireFree(dir, name);
  if (options.ladder !== undefined) ladderName(options);
  const rungs = options.ladder === undefined ? [] : await rungsOf(dir, options.ladder);
  const labels = options.labels === undefined ? bundled : await readLabels(options.labels);
  const picture = { ...NO_PICTURE_OPTIONS, ...options.picture, maker };
  const calibration = known === null ? null : calibrationFileOf(catalog, known);
  return inStaging(dir, name, (staging) =>
    installModel({
      dir,
      staging,
      name,
      files:
        files.format === 'onnx' || files.format === 'safetensors'
          ? files
          : { ...files, calibration },
      labels,
      labelsSource: options.labels ?? basename(given),
      beside: rungs[0],
      forms: options.forms ?? known?.forms ?? null,
      picture,
      calibration:
        options.calibration === undefined || known !== null
          ? undefined
          : { frames: options.calibration, centralCrop: options.centralCrop ?? null },
      onCost: options.onCost,
      // An ONNX file cannot be recognised by its layers, so its name is not held against it.
      expected: known !== null ? expectedOf(known) : files.format === 'onnx' ? {} : claimOf(name),
      source: `file:${basename(given)}`,
      describe: (conversion) =>
        known === null || options.ladder !== undefined
          ? describeOwn(name, conversion, options)
          : { ...descriptionOf(known), name },
      onProgress: options.onProgress,
      signal: options.signal,
      onStep,
    }),
  );
}

/** The rungs of a trained ladder, none of whose names is taken. See readLadder. */
export async function ladderRungs(
  folder: string,
  options: LadderOptions,
  { dir }: AcquireContext,
): Promise<LadderRung[]> {
  const rungs = await readLadder(folder, options);
  for (const { description } of rungs) await requireFree(dir, description.name);
  return rungs;
}

/** Installs one rung of a ladder of the user's own. */
export async function addRung(
  rung: LadderRung,
  options: PullOptions,
  { dir, onStep }: AcquireContext,
): Promise<InstalledModel> {
  const { description, files, labels: labelsSource } = rung;
  const { name, family, alpha, sizes, multAdds } = description;
  const labels = await readLabels(labelsSource);
  return inStaging(dir, name, (staging) =>
    installModel({
      dir,
      staging,
      name,
      files,
      labels,
      labelsSource,
      forms: options.forms ?? null,
      expected: { family, alpha, sizes, multAdds: multAdds?.[0] },
      source: describeOrigin(rung),
      describe: () => description,
      onProgress: options.onProgress,
      signal: options.signal,
      onStep,
    }),
  );
}

async function requireFree(dir: string, name: string): Promise<void> {
  if (!(await installedNames(dir)).includes(name)) return;
  throw codedError('MND_USAGE', {
    subject: name,
    expected: 'a name that is free',
    found: 'a model of this name',
    next: `run: mobilenetd models remove ${name}, or give another --name`,
  });
}

async function inStaging<T>(
  dir: string,
  name: string,
  work: (staging: string) => Promise<T>,
): Promise<T> {
  const staging = await createStaging(dir, name).catch((error: unknown) => {
    throw asDiskError(error, dir);
  });
  try {
    return await work(staging);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function expectedOf({ family, alpha, sizes, multAdds }: CatalogEntry): ExpectedModel {
  const [first] = multAdds ?? [];
  return { family, alpha, sizes, multAdds: first };
}

function filesOf(
  entry: CatalogEntry,
  files: ReadonlyMap<string, string>,
  calibration: string | null,
): ModelFiles {
  const paths = entry.source.members.map(({ path }) => files.get(path) ?? '');
  const [first = '', ...shards] = paths;
  if (entry.format === 'safetensors') {
    return { format: 'safetensors', file: first, size: entry.sizes[0] ?? 0 };
  }
  return entry.format === 'tflite'
    ? { format: 'tflite', file: first, calibration }
    : { format: 'tfjs', modelJson: first, shards, calibration };
}
