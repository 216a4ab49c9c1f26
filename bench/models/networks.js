// The classifiers of the mirror: speed of each form against the peers, and the forms' answers.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOracle, withoutLastOperator } from '../../.build/test/convert/litert.js';
import { convertTflite } from '../../dist/convert/convert.js';
import { createSessionPool } from '../../dist/inference/sessions.js';
import { NUMERIC_FORMS } from '../../dist/models/variant.js';
import { heaviestPointwise, pointwiseContestants } from './ceiling.js';
import {
  MODELS,
  median,
  modelFile,
  networkInput,
  packageRoot,
  print,
  processorClass,
  ratioOf,
  round,
  skip,
  takeTurns,
  timed,
} from './common.js';
import { openTfliteC, prepareTfliteC } from './tflite-c.js';

const SMALLEST = 'mobilenet_v1_0.25_128_quant';
/** How many times slower each peer must be than the fastest form. */
const LEAST_RATIO = {
  litert: (name) => (name === SMALLEST ? 2 : 4.5),
  tfliteC: () => 6,
  float32: (name) => (name === SMALLEST ? undefined : 1.6),
};

/** Every form of a model, loaded as the daemon loads it, one thread. */
export async function openForms(tflite, { name, size }) {
  const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-bench-'));
  const forms = {};
  for (const form of NUMERIC_FORMS) {
    const { onnx, input, head } = convertTflite(tflite, { form });
    const file = join(folder, `${form}.onnx`);
    await writeFile(file, onnx);
    const sha256 = createHash('sha256').update(onnx).digest('hex');
    const labels = Array.from({ length: head.classes }, () => '');
    const pool = createSessionPool(1);
    await pool.load({ name, model: name, size, form, file, sha256, input, head, labels });
    forms[form] = { loaded: pool.use(name), close: () => pool.close() };
  }
  await rm(folder, { recursive: true });
  return forms;
}

async function logitsOf({ loaded }, input) {
  loaded.pixels.set(input);
  const outputs = await loaded.infer();
  return Object.values(outputs)[0].data;
}

function argMax(values) {
  let best = 0;
  for (let at = 1; at < values.length; at += 1) if (values[at] > values[best]) best = at;
  return best;
}

/** Speed of the fastest form against each peer on the same model and picture. */
export async function speed(pictures, rounds) {
  const tfliteC = await prepareTfliteC();
  for (const entry of MODELS) {
    const { name, size } = entry;
    const tflite = modelFile(name);
    if (tflite === null) {
      skip(`speed ${name}`, 'not in the mirror');
      continue;
    }
    const input = networkInput(pictures[0], size);
    const forms = await openForms(tflite, entry);
    const litert = await openOracle(tflite);
    const c = tfliteC.skip === null ? await openTfliteC(tfliteC, tflite, input) : null;
    const contestants = {};
    for (const [form, { loaded }] of Object.entries(forms)) {
      loaded.pixels.set(input);
      contestants[form] = timed(() => loaded.infer());
    }
    contestants.litert = timed(() => litert.run(input, [1, size, size, 3]));
    if (c !== null) contestants.tfliteC = (runs) => c.turn(runs);
    const layer = heaviestPointwise(tflite);
    const pointwise = await pointwiseContestants(layer);
    contestants.pointwiseInt8 = pointwise.contestants.int8;
    contestants.pointwiseFloat32 = pointwise.contestants.float32;
    const times = await takeTurns(contestants, rounds);
    // The fastest of each round would be luck: one form for all.
    const fastest = Object.keys(forms).reduce((best, form) =>
      median(times[form]) < median(times[best]) ? form : best,
    );
    const ms = Object.fromEntries(
      Object.entries(times).map(([who, all]) => [who, round(median(all), 3)]),
    );
    const processor = processorClass();
    const details = { unit: 'ms', form: fastest, processor, medianMs: ms };
    print(`fastest form of ${name}`, ms[fastest], {}, details);
    print(
      `float32 / int8 of its heaviest 1×1 convolution alone, ${name}`,
      ratioOf(times, 'pointwiseFloat32', 'pointwiseInt8'),
      {},
      { processor, layer },
    );
    for (const [peer, leastOf] of Object.entries(LEAST_RATIO)) {
      if (times[peer] === undefined) skip(`${peer} / fastest, ${name}`, tfliteC.skip);
      else {
        const least = leastOf(name);
        print(
          `${peer} / fastest, ${name}`,
          ratioOf(times, peer, fastest),
          { least },
          { processor },
        );
      }
    }
    litert.close();
    c?.close();
    await pointwise.close();
    for (const { close } of Object.values(forms)) await close();
  }
}

/** Bits against LiteRT.js, and top-1 of every form. */
export async function agreement(pictures) {
  const labels = (await readFile(join(packageRoot, 'models/labels/imagenet_1001.txt'), 'utf8'))
    .trimEnd()
    .split('\n');
  for (const entry of MODELS) {
    const { name, size } = entry;
    const tflite = modelFile(name);
    if (tflite === null || pictures.length === 0) {
      skip(`agreement ${name}`, 'no model or no pictures');
      continue;
    }
    const forms = await openForms(tflite, entry);
    const oracle = await openOracle(withoutLastOperator(tflite));
    const count = { logits: 0, equal: 0, largest: 0, top1: 0 };
    const right = Object.fromEntries(NUMERIC_FORMS.map((form) => [form, 0]));
    for (const picture of pictures) {
      const input = networkInput(picture, size);
      const expected = await oracle.run(input, [1, size, size, 3]);
      for (const form of NUMERIC_FORMS) {
        const logits = await logitsOf(forms[form], input);
        if (isRight(labels[argMax(logits)], picture)) right[form] += 1;
        if (form !== 'exact') continue;
        count.top1 += argMax(logits) === argMax(expected) ? 1 : 0;
        for (const [at, value] of logits.entries()) {
          const difference = Math.abs(value - expected[at]);
          count.logits += 1;
          count.equal += difference === 0 ? 1 : 0;
          count.largest = Math.max(count.largest, difference);
        }
      }
    }
    oracle.close();
    for (const { close } of Object.values(forms)) await close();
    const isV1 = name.includes('_v1_');
    print(`equal logits, ${name}`, count.equal / count.logits, { least: isV1 ? 1 : 0.995 }, count);
    print(`largest difference, ${name}`, count.largest, { most: isV1 ? 0 : 2 });
    print(`same top-1 as LiteRT.js, ${name}`, count.top1 / pictures.length, { least: 1 });
    for (const form of NUMERIC_FORMS.slice(1)) {
      const bar = form === 'float32' ? {} : { least: right.exact - 2 };
      print(`top-1 right, ${form}, ${name}`, right[form], bar, { exact: right.exact });
    }
  }
}

/** Each class has one or more names, separated by commas. */
function isRight(label, { file }) {
  const shown = file.replace(/^n\d+_|\.\w+$/g, '').replaceAll('_', ' ');
  const names = label.split(',').map((name) => name.trim().toLowerCase());
  return names.includes(shown.toLowerCase());
}

/** The share that making the network's input takes of an inference of 0.75/192. */
export async function preprocessing(rounds) {
  const [entry] = MODELS.filter(({ size }) => size === 192);
  const tflite = modelFile(entry.name);
  if (tflite === null) return skip('pre-processing', `${entry.name} is not in the mirror`);
  const { createKernelResize } = await import('../../dist/vision/resize-kernel.js');
  const { resizeBilinear } = await import('../../dist/vision/resize.js');
  const { createSamplingPlan } = await import('../../dist/vision/sampling.js');
  const kernel = createKernelResize(await readFile(join(packageRoot, 'dist/vision/resize.wasm')));
  const layout = { width: 640, height: 480, format: 'yuv420p', range: 'full' };
  const frame = Uint8Array.from({ length: 640 * 480 * 1.5 }, (_, at) => (at * 7919) % 251);
  const plan = createSamplingPlan(layout, [80, 0, 480, 480], 192, 192);
  const [out, reference] = [new Uint8Array(192 * 192 * 3), new Uint8Array(192 * 192 * 3)];
  kernel(frame, plan, out);
  resizeBilinear(frame, plan, reference);
  const different = out.reduce((sum, value, at) => sum + (value === reference[at] ? 0 : 1), 0);
  const forms = await openForms(tflite, entry);
  const times = await takeTurns(
    {
      kernel: timed(() => kernel(frame, plan, out)),
      plain: timed(() => resizeBilinear(frame, plan, reference)),
      ...Object.fromEntries(
        Object.entries(forms).map(([form, { loaded }]) => [form, timed(() => loaded.infer())]),
      ),
    },
    rounds,
  );
  const fastest = NUMERIC_FORMS.reduce((best, form) =>
    median(times[form]) < median(times[best]) ? form : best,
  );
  print(
    'pre-processing / inference, 0.75 192',
    ratioOf(times, 'kernel', fastest),
    { most: 0.15 },
    {
      form: fastest,
      ms: round(median(times.kernel)),
      plainMs: round(median(times.plain)),
    },
  );
  print('pixels that differ from the plain resize', different, { most: 0 });
  // The views of a camera's memory are kept; what is left is the measuring.
  const allocated = allocatedBy(() => kernel(frame, plan, out));
  print('bytes allocated a frame by pre-processing', allocated, { most: 128 });
  for (const { close } of Object.values(forms)) await close();
}

function allocatedBy(run) {
  const used = () => {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return heapUsed + external + arrayBuffers;
  };
  const before = used();
  for (let at = 0; at < 2000; at += 1) run();
  return Math.max(0, (used() - before) / 2000);
}
