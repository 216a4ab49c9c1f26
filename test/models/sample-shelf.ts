import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openShelf, type Shelf, type ShelfOptions } from '#mobilenetd/models/shelf.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite } from '../convert/build-tflite.js';
import { PATIENCE_MS } from '../eventually.js';
import { recordingClock } from '../fake-clock.js';

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function integrity(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

export const CLASSES = 7;

/** The smallest real network of the family: α = 0.25 at 32 px with pseudo-random weights. */
export function tinyModel(seed = 1): Buffer {
  const network = { alpha: 0.25, size: 32, classes: CLASSES };
  return Buffer.from(buildTflite(mobilenetV1Spec(network, seed)));
}

export const LABELS = Array.from({ length: CLASSES }, (_, index) => `label ${index}`);

/** A catalogue entry for {@link tinyModel}; `edit` replaces fields. */
export function tinyEntry(source: object, edit: object = {}): object {
  return {
    name: 'tiny',
    family: 'mobilenet_v1',
    task: 'classify',
    alpha: 0.25,
    sizes: [32],
    format: 'tflite',
    forms: ['exact', 'symmetric'],
    source,
    licence: 'Apache-2.0',
    labels: 'tiny.txt',
    centralCrop: 0.875,
    accuracy: { top1: 12.5, top5: null, map: null },
    accuracySlim: null,
    multAdds: null,
    ...edit,
  };
}

/** A detector that is never installed: catalogues must name a default one. */
const DETECTOR = tinyEntry(
  {
    kind: 'file',
    path: 'none',
    archive: 'none',
    sha256: '0'.repeat(64),
    members: [{ path: 'none', sha256: null }],
  },
  { name: 'finder', task: 'detect', sizes: [64, 32], family: 'ssd' },
);

export interface Sample {
  /** Everything is below this folder. */
  readonly root: string;
  readonly dir: string;
  readonly catalogFile: string;
  readonly shelf: Shelf;
}

/** A shelf over a catalogue of the given entries, the first of which is the default classifier. */
export async function sampleShelf(
  t: Pick<Test, 'teardown'>,
  entries: readonly object[],
  options: Partial<ShelfOptions> = {},
): Promise<Sample> {
  const root = await mkdtemp(join(tmpdir(), 'shelf-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const catalogFile = join(root, 'catalog', 'catalog.json');
  await mkdir(join(root, 'catalog', 'labels'), { recursive: true });
  const [first] = entries as readonly { name?: string }[];
  const defaults = { classify: first?.name, detect: 'finder' };
  const catalog = { schema: 1, defaults, models: [...entries, DETECTOR] };
  await writeFile(catalogFile, JSON.stringify(catalog));
  await writeFile(join(root, 'catalog', 'labels', 'tiny.txt'), `${LABELS.join('\n')}\n`);
  const dir = join(root, 'models');
  const home = join(root, 'home');
  const shelf = openShelf({
    dir,
    catalogFile,
    mirror: null,
    env: {},
    cwd: root,
    home,
    timeouts: { answer: PATIENCE_MS, idle: PATIENCE_MS },
    clock: recordingClock(),
    ...options,
  });
  return { root, dir, catalogFile, shelf };
}

/** An entry whose source is a file beside the catalogue, and that file. */
export async function fileEntry(
  root: string,
  bytes: Uint8Array,
  edit: object = {},
): Promise<object> {
  const path = join(root, 'tiny.tflite');
  await writeFile(path, bytes);
  const members = [{ path: 'tiny.tflite', sha256: sha256(bytes) }];
  return tinyEntry({ kind: 'file', path, archive: 'none', sha256: sha256(bytes), members }, edit);
}
