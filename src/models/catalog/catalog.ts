import { dirname, join } from 'node:path';
import { builtCheck } from '../../built-check.js';
import { codedError } from '../../errors.js';
import { PACKAGE_ROOT } from '../../package-root.js';
import { readJsonFile } from '../json-file.js';
import type { Accuracy, NumericForm, SizeQuality, Task } from '../variant.js';

/** A file inside an archive, or the source itself when it is no archive. */
export interface SourceMember {
  /** Path inside the archive; for `archive: none` the file's own name. */
  readonly path: string;
  /** Null where none was published; the archive's checksum vouches for it. */
  readonly sha256: string | null;
  /** Where inside that file the wanted one lies, from byte to byte; its checksum is of this part. */
  readonly range?: readonly [start: number, end: number];
}

export type ArchiveKind = 'tgz' | 'zip' | 'none';

export interface HttpsSource {
  readonly kind: 'https';
  readonly url: string;
  readonly archive: ArchiveKind;
  /** Of the file at `url`; null where none was published, and only of a file that is no archive. */
  readonly sha256: string | null;
  readonly members: readonly SourceMember[];
}

/** A file in an npm package. The package is fetched, never installed. */
export interface NpmSource {
  readonly kind: 'npm';
  readonly package: string;
  readonly version: string;
  /** Of the tarball: `sha512-` and base64. */
  readonly integrity: string;
  readonly members: readonly SourceMember[];
}

export interface FileSource {
  readonly kind: 'file';
  /** Absolute, or relative to the catalogue. */
  readonly path: string;
  readonly archive: ArchiveKind;
  readonly sha256: string;
  readonly members: readonly SourceMember[];
}

export type ModelSource = HttpsSource | NpmSource | FileSource;

/** What is known of a network whether it is installed or not. */
export interface ModelDescription {
  readonly name: string;
  readonly family: string;
  readonly task: Task;
  /** Width multiplier; null for a family without one, or where it is not known. */
  readonly alpha: number | null;
  /** Input sizes in pixels, the native one first. */
  readonly sizes: readonly number[];
  readonly licence: string | null;
  /** Central part of a picture's sides that the network was trained to see, 0 to 1. */
  readonly centralCrop: number;
  /** At the native size; a classifier's is that of the hosted-models page. */
  readonly accuracy: Accuracy;
  /** Multiply-adds of one inference, millions, by the index of the size. */
  readonly multAdds: readonly number[] | null;
  /** One for each size of a detector that was measured; absent for any other network. */
  readonly quality?: readonly SizeQuality[];
  /** Name of the ladder that the network is a rung of; absent for one that stands alone. */
  readonly ladder?: string;
}

export interface CatalogEntry extends ModelDescription {
  readonly format: 'tflite' | 'tfjs' | 'safetensors';
  /** Numeric forms that are installed unless others are asked for. */
  readonly forms: readonly NumericForm[];
  readonly source: ModelSource;
  /** File in `labels/` beside the catalogue. */
  readonly labels: string;
  /** File beside the catalogue with what quantizing a float network needs to know. */
  readonly calibration?: string;
  /** The other published figure, of TensorFlow's slim page; up to 4 points apart. */
  readonly accuracySlim: { readonly top1: number | null } | null;
}

export interface Catalog {
  /** Absolute path of the file. */
  readonly file: string;
  /** The models that are used where none is named. */
  readonly defaults: Readonly<Record<Task, string>>;
  readonly models: readonly CatalogEntry[];
  /** Models of one task that are fetched together, so that the governor has rungs to walk; by name. */
  readonly ladders?: Readonly<Record<string, readonly string[]>>;
}

export const SHIPPED_CATALOG = join(PACKAGE_ROOT, 'models', 'catalog.json');

const validate = builtCheck<Omit<Catalog, 'file'>>('catalog');

/** @throws MND_CATALOG_INVALID, naming the place */
export async function readCatalog(file: string = SHIPPED_CATALOG): Promise<Catalog> {
  const data = await readJsonFile(file, { validate, code: 'MND_CATALOG_INVALID' });
  const catalog: Catalog = { file, ...data };
  const problem = findProblem(catalog);
  if (problem !== null) throw codedError('MND_CATALOG_INVALID', { subject: file, found: problem });
  return catalog;
}

/** What a schema cannot say. */
function findProblem({ models, defaults, ladders = {} }: Catalog): string | null {
  const seen = new Map<string, number>();
  for (const [index, entry] of models.entries()) {
    const first = seen.get(entry.name);
    if (first !== undefined)
      return `/models/${index}/name "${entry.name}" is that of /models/${first}`;
    seen.set(entry.name, index);
    if (entry.multAdds !== null && entry.multAdds.length !== entry.sizes.length) {
      return `/models/${index}/multAdds has ${entry.multAdds.length} values for ${entry.sizes.length} sizes`;
    }
    const strange = entry.quality?.find(({ size }) => !entry.sizes.includes(size));
    if (strange !== undefined) return `/models/${index}/quality is of ${strange.size} px`;
    const { source } = entry;
    if (source.kind !== 'npm' && source.archive === 'none' && source.members.length !== 1) {
      return `/models/${index}/source/members must be one file, for there is no archive`;
    }
    if (source.kind === 'https' && source.sha256 === null && source.archive !== 'none') {
      return `/models/${index}/source/sha256 must be there, for an archive is unpacked`;
    }
    const bad = source.members.find(({ range }) => range !== undefined && range[0] >= range[1]);
    if (bad !== undefined) return `/models/${index}/source/members has an empty range`;
    const twice = source.members.find(
      ({ path }, at) => source.members.findIndex((other) => other.path === path) !== at,
    );
    if (twice !== undefined) return `/models/${index}/source/members has "${twice.path}" twice`;
  }
  for (const task of ['classify', 'detect'] as const) {
    const name = defaults[task];
    const entry = models.find((model) => model.name === name);
    if (entry?.task !== task) return `/defaults/${task} "${name}" is no model for it`;
  }
  for (const [ladder, names] of Object.entries(ladders)) {
    const members = names.map((name) => models.find((model) => model.name === name));
    const [first] = members;
    const bad = members.findIndex(
      (member) => member?.task !== first?.task || member?.labels !== first?.labels,
    );
    if (first === undefined) return `/ladders/${ladder} names no model`;
    if (bad >= 0) return `/ladders/${ladder} "${names[bad]}" is no model of the same labels`;
  }
  return null;
}

/** Absolute path of an entry's label file, one label a line. */
export function labelsFileOf(catalog: Catalog, entry: CatalogEntry): string {
  return join(dirname(catalog.file), 'labels', entry.labels);
}

/** Absolute path of an entry's calibration; null for one that needs none. */
export function calibrationFileOf(catalog: Catalog, entry: CatalogEntry): string | null {
  return entry.calibration === undefined ? null : join(dirname(catalog.file), entry.calibration);
}

/** Where an entry comes from, for people. */
export function describeSource(source: ModelSource): string {
  switch (source.kind) {
    case 'https':
      return source.url;
    case 'npm':
      return `npm:${source.package}@${source.version}`;
    case 'file':
      return `file:${source.path}`;
  }
}
