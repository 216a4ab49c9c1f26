// What the figures share: the models and pictures, turns in rotating order, and the printed lines.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../../dist/inference/median.js';
import { thisProcessor } from '../../dist/inference/processor.js';
import { ort } from '../../dist/inference/runtime.js';
import { centralCrop } from '../../dist/vision/crop.js';
import { decodePicture } from '../../dist/vision/decode.js';
import { resizeBilinear } from '../../dist/vision/resize.js';
import { createSamplingPlan } from '../../dist/vision/sampling.js';

export { median };

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
const MIRROR = process.env.MOBILENETD_MODELS_MIRROR ?? join(packageRoot, '../shared/models');
const PICTURES = process.env.MOBILENETD_TEST_IMAGES ?? join(packageRoot, '../shared/images');

export const MODELS = [
  { name: 'mobilenet_v1_0.25_128_quant', size: 128 },
  { name: 'mobilenet_v1_0.5_160_quant', size: 160 },
  { name: 'mobilenet_v1_0.75_192_quant', size: 192 },
  { name: 'mobilenet_v2_1.0_224_quant', size: 224 },
];

export const mirror = MIRROR;

/** A model file of the mirror; null where there is none. */
export function modelFile(name) {
  const file = join(MIRROR, `${name}.tflite`);
  return existsSync(file) ? readFileSync(file) : null;
}

/** The pictures, decoded, in order of name; none where the folder is absent. */
export async function loadPictures() {
  if (!existsSync(PICTURES)) return [];
  const files = readdirSync(PICTURES).filter((name) => /\.jpe?g$/i.test(name));
  return Promise.all(
    files.sort().map(async (file) => {
      const bytes = readFileSync(join(PICTURES, file));
      return { file, ...(await decodePicture(bytes, { subject: file })) };
    }),
  );
}

/** The network's input, cut and resized as the daemon does. */
export function networkInput({ width, height, bytes }, size) {
  const layout = { width, height, format: 'rgb24', range: 'full' };
  const input = new Uint8Array(size * size * 3);
  const plan = createSamplingPlan(layout, centralCrop(width, height, 0.875), size, size);
  resizeBilinear(bytes, plan, input);
  return input;
}

/**
 * One line: what was measured, and whether it meets its bar. `least` and `most` are the bar's ends;
 * a figure without one has no `pass`.
 */
export function print(figure, value, bar = {}, details = {}) {
  const { least, most } = bar;
  const barred = least !== undefined || most !== undefined;
  const pass = (least === undefined || value >= least) && (most === undefined || value <= most);
  const line = { figure, value: round(value), ...bar, ...(barred && { pass }), ...details };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (barred && !pass) process.exitCode = 1;
}

export function skip(figure, reason) {
  process.stdout.write(`${JSON.stringify({ figure, skipped: reason })}\n`);
}

/** What the figures depend on. */
export function printMachine() {
  const { arch, model, features, saturates } = thisProcessor();
  const cores = availableParallelism();
  const machine = { arch, processor: model, class: processorClass(), cores, features, saturates };
  const versions = { onnxruntime: ort.env.versions.node, node: process.version };
  process.stdout.write(`${JSON.stringify({ figure: 'machine', ...machine, ...versions })}\n`);
}

/** What its integer products are made of, on which the bars of the speed depend. */
export function processorClass() {
  const { features } = thisProcessor();
  if (features.some((feature) => feature.endsWith('vnni'))) return 'vnni';
  if (features.includes('asimddp')) return 'dotprod';
  return 'neither vnni nor dotprod';
}

export function round(value, digits = 4) {
  return typeof value === 'number' ? Number(value.toFixed(digits)) : value;
}

const TURN_MS = 60;

/**
 * Lets contestants take turns of about 60 ms, another one first in each round.
 *
 * @param contestants name to a function of the number of runs that gives the processor milliseconds of one
 * @returns name to the milliseconds of each round
 */
export async function takeTurns(contestants, rounds) {
  const names = Object.keys(contestants);
  const runs = {};
  for (const name of names) {
    // Some runtimes compile while they run: time enough for that.
    for (let spent = 0; spent < 4 * TURN_MS; ) {
      const ms = await contestants[name](2);
      spent += 2 * ms;
      runs[name] = Math.max(1, Math.round(TURN_MS / ms));
    }
  }
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let at = 0; at < rounds; at += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + at) % names.length];
      times[name].push(await contestants[name](runs[name]));
    }
  }
  return times;
}

/** Median of the ratios of each round. */
export function ratioOf(times, name, to) {
  return median(times[name].map((ms, round) => ms / times[to][round]));
}

/**
 * A contestant of an asynchronous function that runs once, with one thread. Processor time counts,
 * for all alike: what else the machine does then hardly matters.
 */
export function timed(run) {
  return async (runs) => {
    const before = process.cpuUsage();
    for (let at = 0; at < runs; at += 1) await run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / runs;
  };
}
