#!/usr/bin/env node
// Runs a quantized MobileNet at any input size over pictures of SIZE × SIZE RGB bytes on standard input, and
// writes its pooled features of each, float32.
// usage: training/reference.mjs MOBILENET.tflite SIZE OUT.part < PICTURES
import { openSync, readFileSync, writeSync } from 'node:fs';
import ort from 'onnxruntime-node';
import { readTflite } from '../dist/convert/convert.js';
import { freeSize } from '../dist/convert/free-size.js';
import { writeOnnx } from '../dist/convert/onnx/write.js';
import { symmetricWeights } from '../dist/convert/passes/symmetric.js';

const [network, side, out] = process.argv.slice(2);
const size = Number(side);
if (out === undefined || !Number.isInteger(size) || size < 32) {
  process.stderr.write('usage: training/reference.mjs MOBILENET.tflite SIZE OUT.part < PICTURES\n');
  process.exit(64);
}

const { graph } = symmetricWeights(readTflite(readFileSync(network)).graph, false);
const end = graph.operators.findIndex(({ kind }) => kind === 'global-average-pool');
const last = graph.operators[end].input;
const { shape, quantization } = graph.tensors.get(last);
const features = freeSize({ ...graph, operators: graph.operators.slice(0, end), outputs: [last] });
const session = await ort.InferenceSession.create(writeOnnx(features), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});

/** Real values, averaged over all places of the map. */
function pooled(map) {
  const channels = shape[3];
  const row = new Float32Array(channels);
  for (const [index, value] of map.entries()) row[index % channels] += value;
  const places = map.length / channels;
  return row.map((sum) => (sum / places - quantization.zeroPoint[0]) * quantization.scale[0]);
}

const file = openSync(out, 'w');
const pixels = new Uint8Array(size * size * 3);
let filled = 0;
for await (const chunk of process.stdin) {
  for (let at = 0; at < chunk.length; ) {
    const taken = Math.min(chunk.length - at, pixels.length - filled);
    pixels.set(chunk.subarray(at, at + taken), filled);
    at += taken;
    filled += taken;
    if (filled < pixels.length) continue;
    filled = 0;
    const input = new ort.Tensor('uint8', pixels, [1, size, size, 3]);
    const results = await session.run({ [graph.inputs[0]]: input });
    writeSync(file, pooled(results[last].data));
  }
}
