#!/usr/bin/env node
// Runs a quantized MobileNet at any input size over pictures of SIZE × SIZE RGB bytes on standard input, and
// writes its pooled features of each, float32.
// usage: training/reference.mjs MOBILENET.tflite SIZE OUT.part < PICTURES
import { openSync, writeSync } from 'node:fs';
import { freeSize } from '../dist/convert/free-size.js';
import { readGraph, resultsOf } from './network.mjs';

const [network, side, out] = process.argv.slice(2);
const size = Number(side);
if (out === undefined || !Number.isInteger(size) || size < 32) {
  process.stderr.write('usage: training/reference.mjs MOBILENET.tflite SIZE OUT.part < PICTURES\n');
  process.exit(64);
}

const graph = readGraph(network);
const end = graph.operators.findIndex(({ kind }) => kind === 'global-average-pool');
const last = graph.operators[end].input;
const { shape, quantization } = graph.tensors.get(last);
const features = freeSize({ ...graph, operators: graph.operators.slice(0, end), outputs: [last] });

/** Real values, averaged over all places of the map. */
function pooled(map) {
  const channels = shape[3];
  const row = new Float32Array(channels);
  for (const [index, value] of map.entries()) row[index % channels] += value;
  const places = map.length / channels;
  return row.map((sum) => (sum / places - quantization.zeroPoint[0]) * quantization.scale[0]);
}

const file = openSync(out, 'w');
for await (const results of resultsOf(features, size)) writeSync(file, pooled(results[last].data));
