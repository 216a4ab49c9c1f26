// What a run of the smallest network costs besides its layers: the trip to the worker thread and
// back, reading the outputs, and a call of onnxruntime with nothing to do.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertTflite } from '../../dist/convert/convert.js';
import { writeOnnx } from '../../dist/convert/onnx/write.js';
import { startEngine } from '../../dist/inference/engine.js';
import { ort, sessionOptions } from '../../dist/inference/runtime.js';
import { MODELS, median, modelFile, print, skip } from './common.js';

const FRAMES = 40;

export async function fixedCost(rounds) {
  const [{ name, size }] = MODELS;
  const tflite = modelFile(name);
  if (tflite === null) return skip('fixed cost', `${name} is not in the mirror`);
  const form = 'reduced';
  const { onnx, input, head } = convertTflite(tflite, { form });
  const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-bench-'));
  const file = join(folder, 'model.onnx');
  await writeFile(file, onnx);
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  const labels = Array.from({ length: head.classes }, (_, index) => `class ${index}`);
  const engine = await startEngine({ threads: 1 });
  const preprocessing = { centralCrop: 0.875 };
  const network = { name, model: name, size, form, file, sha256, input, head, labels };
  await engine.load({ ...network, preprocessing });
  const bytes = new Uint8Array(new SharedArrayBuffer(640 * 480 * 1.5)).map((_, at) => at % 251);
  const frame = { width: 640, height: 480, format: 'yuv420p', range: 'full', bytes, camera: 'x' };
  const empty = await emptyRun();
  const least = { trip: [], inference: [], reading: [], empty: [] };
  for (let round = 0; round < rounds + 5; round += 1) {
    const costs = { trip: [], inference: [], reading: [], empty: [] };
    for (let at = 0; at < FRAMES; at += 1) {
      const started = performance.now();
      const { timings } = await engine.run(name, frame, { topK: 5, threshold: 0 });
      const total = performance.now() - started;
      const { preprocess, inference, postprocess } = timings;
      costs.trip.push(total - preprocess - inference - postprocess);
      costs.inference.push(inference);
      costs.reading.push(postprocess);
      costs.empty.push(await empty());
    }
    // The first rounds are compiled while they run.
    if (round < 5) continue;
    for (const part of Object.keys(least)) least[part].push(Math.min(...costs[part]));
  }
  await engine.close();
  await rm(folder, { recursive: true });
  const details = { model: name, unit: 'ms' };
  print('fixed cost: to the worker thread and back', median(least.trip), {}, details);
  print('fixed cost: softmax and the best five', median(least.reading), {}, details);
  print('fixed cost: a call of onnxruntime with nothing to do', median(least.empty), {}, details);
  print('inference, beside it', median(least.inference), {}, details);
}

/** A network that only passes its input on. */
async function emptyRun() {
  const tensor = (name) => {
    const quantization = { scale: [1], zeroPoint: [0], axis: null };
    return [name, { name, type: 'uint8', shape: [1, 1001], quantization, data: null }];
  };
  const onnx = writeOnnx({
    tensors: new Map([tensor('input'), tensor('output')]),
    operators: [{ kind: 'reshape', input: 'input', output: 'output' }],
    inputs: ['input'],
    outputs: ['output'],
  });
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, 'exact'));
  const feeds = { input: new ort.Tensor('uint8', new Uint8Array(1001), [1, 1001]) };
  const outputs = await session.run(feeds);
  return async () => {
    const started = performance.now();
    await session.run(feeds, outputs);
    return performance.now() - started;
  };
}
