import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite } from '../convert/build-tflite.js';

const CACHE = '.build/random-models';
/** What turns a file into an installed model: when it changes, models are made anew. */
const MAKERS = [
  'dist/convert',
  'dist/families',
  'dist/inference',
  'dist/models',
  '.build/test/convert',
];

/**
 * Installs a MobileNetV1 with pseudo-random weights and three classes, so that a whole daemon runs
 * where no real model is to be had. One of three classes always has a score of at least a third.
 *
 * Converting it takes a second of CPU, and forty tests want one: it is done once for each build.
 */
export async function installRandomModel(
  folder: string,
  { name = 'random_v1', alpha = 0.25 }: { readonly name?: string; readonly alpha?: number } = {},
): Promise<string> {
  const made = join(CACHE, `${name}-${alpha}-${buildKey()}`);
  if (!existsSync(made)) await makeModel(made, name, alpha);
  mkdirSync(join(folder, 'models'), { recursive: true, mode: 0o700 });
  cpSync(made, join(folder, 'models'), { recursive: true });
  return name;
}

async function makeModel(made: string, name: string, alpha: number): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'making-'));
  const file = join(work, `${name}.tflite`);
  const labels = join(work, 'labels.txt');
  writeFileSync(file, buildTflite(mobilenetV1Spec({ alpha, size: 128, classes: 3 }, 7)));
  writeFileSync(labels, 'left\nmiddle\nright\n');
  const dir = join(work, 'models');
  await openShelf({ dir, env: {} }).add(file, { labels, name, task: 'classify' });
  try {
    renameSync(dir, made);
  } catch (error) {
    // A test beside this one was faster.
    if (!existsSync(made)) throw error;
  }
  rmSync(work, { recursive: true, force: true });
}

function buildKey(): string {
  const hash = createHash('sha256');
  for (const folder of MAKERS) {
    for (const name of readdirSync(folder, { recursive: true }).sort()) {
      const { size, mtimeMs } = statSync(join(folder, String(name)));
      hash.update(`${name} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}
