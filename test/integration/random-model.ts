import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite } from '../convert/build-tflite.js';
import { madeOnce } from './made-once.js';

/**
 * Installs a MobileNetV1 with pseudo-random weights and three classes, so that a whole daemon runs
 * where no real model is to be had. One of three classes always has a score of at least a third.
 *
 * Converting it takes a second of CPU, and forty tests want one.
 */
export async function installRandomModel(
  folder: string,
  { name = 'random_v1', alpha = 0.25 }: { readonly name?: string; readonly alpha?: number } = {},
): Promise<string> {
  const made = await madeOnce(`${name}-${alpha}`, (dir) => addModel(dir, name, alpha));
  copyTo(folder, made);
  return name;
}

/**
 * Installs networks of the catalogue. Converting the sixteen of a ladder takes half a minute of CPU.
 *
 * @param mirror folder that is searched before any download
 */
export async function installNetworks(
  folder: string,
  names: readonly string[],
  mirror: string | null = null,
): Promise<void> {
  const made = await madeOnce(names.join('+'), async (dir) => {
    await openShelf({ dir, mirror, env: process.env }).pull(names);
  });
  copyTo(folder, made);
}

function copyTo(folder: string, made: string): void {
  mkdirSync(join(folder, 'models'), { recursive: true, mode: 0o700 });
  cpSync(made, join(folder, 'models'), { recursive: true });
}

async function addModel(dir: string, name: string, alpha: number): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'random-model-'));
  const file = join(work, `${name}.tflite`);
  const labels = join(work, 'labels.txt');
  writeFileSync(file, buildTflite(mobilenetV1Spec({ alpha, size: 128, classes: 3 }, 7)));
  writeFileSync(labels, 'left\nmiddle\nright\n');
  await openShelf({ dir, env: {} }).add(file, { labels, name, task: 'classify' });
  rmSync(work, { recursive: true, force: true });
}
