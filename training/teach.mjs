#!/usr/bin/env node
// Runs an installed MobileNetV2 over pictures of 224 × 224 RGB bytes on standard input, and writes for
// each picture float32 features: the pooled last map, then the last linear maps of strides 8, 16 and 32,
// averaged over coarse grids. What a row holds goes into a .json beside the file.
// usage: training/teach.mjs MOBILENET_V2.tflite OUT.part < PICTURES
import { openSync, writeFileSync, writeSync } from 'node:fs';
import { readGraph, resultsOf } from './network.mjs';

const SIZE = 224;
/** Side of the teacher's map at that stride and of the grid it is averaged over. */
const MAPS = [
  { side: 28, grid: 8 },
  { side: 14, grid: 4 },
  { side: 7, grid: 2 },
];

const [network, out] = process.argv.slice(2);
if (network === undefined || out === undefined) {
  process.stderr.write('usage: training/teach.mjs MOBILENET_V2.tflite OUT.part < PICTURES\n');
  process.exit(64);
}

const graph = readGraph(network);
const pool = graph.operators.find(({ kind }) => kind === 'global-average-pool');
const linear = graph.operators.filter(
  ({ kind, activation }) => (kind === 'conv' || kind === 'add') && activation === 'none',
);
const parts = [describe(pool.input, 1)];
for (const { side, grid } of MAPS) {
  const last = linear.filter(({ output }) => graph.tensors.get(output).shape[1] === side).at(-1);
  parts.push(describe(last.output, grid));
}

function describe(name, grid) {
  const { shape, quantization } = graph.tensors.get(name);
  const [scale] = quantization.scale;
  const [zeroPoint] = quantization.zeroPoint;
  return { name, side: shape[1], channels: shape[3], grid, scale, zeroPoint };
}

/** Adds the means of the cells of a map [side, side, channels] to `row` at `at`. */
function average(map, { side, channels, grid, scale, zeroPoint }, row, at) {
  for (let cellY = 0; cellY < grid; cellY += 1) {
    for (let cellX = 0; cellX < grid; cellX += 1) {
      const [top, bottom] = [
        Math.floor((cellY * side) / grid),
        Math.ceil(((cellY + 1) * side) / grid),
      ];
      const [left, right] = [
        Math.floor((cellX * side) / grid),
        Math.ceil(((cellX + 1) * side) / grid),
      ];
      const to = at + (cellY * grid + cellX) * channels;
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < right; x += 1) {
          const from = (y * side + x) * channels;
          for (let channel = 0; channel < channels; channel += 1)
            row[to + channel] += map[from + channel];
        }
      }
      const count = (bottom - top) * (right - left);
      for (let channel = 0; channel < channels; channel += 1) {
        row[to + channel] = (row[to + channel] / count - zeroPoint) * scale;
      }
    }
  }
}

const width = parts.reduce((sum, { channels, grid }) => sum + channels * grid * grid, 0);
const layout = parts.map(({ channels, grid }) => ({ channels, grid }));
writeFileSync(out.replace(/\.part$/, '.json'), JSON.stringify(layout));
const file = openSync(out, 'w');
const wanted = { ...graph, outputs: parts.map(({ name }) => name) };
for await (const results of resultsOf(wanted, SIZE)) {
  const row = new Float32Array(width);
  let offset = 0;
  for (const part of parts) {
    average(results[part.name].data, part, row, offset);
    offset += part.channels * part.grid * part.grid;
  }
  writeSync(file, row);
}
