#!/usr/bin/env node
// Table and figure of a ladder: cost against accuracy of every rung, with the hull that the governor walks.
// Costs are measured here, in rotating order, as the median of rounds, one thread.
// usage: scripts/plot-ladder.mjs DIR [--board NAME] [--svg FILE]   (prints the table as Markdown)
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import ort from 'onnxruntime-node';
import { convertNetwork } from '../dist/convert/convert.js';
import { parseSafetensors } from '../dist/convert/safetensors/file.js';
import {
  TRAINED_CALIBRATION,
  trainedMobilenetV1,
} from '../dist/convert/safetensors/mobilenet-v1.js';
import { findBoard } from '../dist/simulator/boards.js';

const ROUNDS = 25;
const RUNS = 8;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { svg: { type: 'string' }, board: { type: 'string', default: 'pi4-case' } },
});
const [folder] = positionals;
const board = findBoard(values.board);
if (folder === undefined || board === undefined) {
  process.stderr.write('usage: scripts/plot-ladder.mjs DIR [--board NAME] [--svg FILE]\n');
  process.exit(64);
}

const ladder = JSON.parse(readFileSync(join(folder, 'ladder.json'), 'utf8'));
const rungs = [];
for (const { alpha, file, figures } of ladder.models) {
  const tensors = parseSafetensors(readFileSync(join(folder, file)));
  for (const { size, top1, symmetric } of figures) {
    const graph = trainedMobilenetV1(tensors, size);
    const calibration = TRAINED_CALIBRATION;
    const network = { kind: 'classifier', graph, scores: 'softmax' };
    const { onnx, report } = convertNetwork(network, { form: 'symmetric', calibration });
    const session = await ort.InferenceSession.create(onnx, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    const input = new ort.Tensor('uint8', new Uint8Array(size * size * 3).fill(90), [
      1,
      size,
      size,
      3,
    ]);
    const boardMs = board.overheadMs + board.msPerMillion * report.multAdds;
    rungs.push({
      alpha,
      size,
      top1: symmetric?.top1 ?? top1,
      multAdds: report.multAdds,
      boardMs,
      session,
      input,
      times: [],
    });
  }
}

for (let round = 0; round < ROUNDS; round += 1) {
  for (let turn = 0; turn < rungs.length; turn += 1) {
    const { session, input, times } = rungs[(round + turn) % rungs.length];
    const start = performance.now();
    for (let run = 0; run < RUNS; run += 1) await session.run({ input });
    times.push((performance.now() - start) / RUNS);
  }
}
for (const rung of rungs) {
  rung.times.sort((a, b) => a - b);
  rung.ms = rung.times[rung.times.length >> 1];
  rung.minMs = rung.times[0];
}

/** The upper left hull: no mixture of two others is both cheaper and more accurate. */
function hullOf(points) {
  const sorted = [...points].sort((a, b) => a.minMs - b.minMs || b.top1 - a.top1);
  const hull = [];
  for (const point of sorted) {
    if (hull.length > 0 && point.top1 <= hull.at(-1).top1) continue;
    while (hull.length >= 2) {
      const [a, b] = hull.slice(-2);
      const over =
        (b.top1 - a.top1) * (point.minMs - a.minMs) - (point.top1 - a.top1) * (b.minMs - a.minMs);
      if (over > 0) break;
      hull.pop();
    }
    hull.push(point);
  }
  return new Set(hull);
}

const hull = hullOf(rungs);
const rows = rungs.map(
  (rung) =>
    `| ${rung.alpha} | ${rung.size} | ${rung.multAdds.toFixed(1)} | ${rung.ms.toFixed(2)} (${rung.minMs.toFixed(2)}) | ${rung.boardMs.toFixed(1)} | ${rung.top1.toFixed(1)} | ${hull.has(rung) ? 'yes' : ''} |`,
);
process.stdout.write(
  [
    `| α | px | M mult-adds | ms here, median (least) | ms, ${values.board} (model) | top-1 % | hull |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n'),
);

if (values.svg !== undefined) writeFileSync(values.svg, svgOf());

/** Cost on a logarithmic axis, as Figure 4 of the paper has it. */
function svgOf() {
  const [left, top, width, height] = [56, 20, 560, 320];
  const costs = rungs.map(({ minMs }) => minMs);
  const [low, high] = [Math.log2(Math.min(...costs)) - 0.15, Math.log2(Math.max(...costs)) + 0.15];
  const [least, most] = [
    Math.floor(Math.min(...rungs.map(({ top1 }) => top1)) / 5) * 5,
    Math.ceil(Math.max(...rungs.map(({ top1 }) => top1)) / 5) * 5,
  ];
  const x = (ms) => left + ((Math.log2(ms) - low) / (high - low)) * width;
  const y = (percent) => top + ((most - percent) / (most - least)) * height;
  const colours = new Map(
    [1, 0.75, 0.5, 0.25].map((alpha, index) => [
      alpha,
      ['#1f5fa8', '#2a8f5b', '#c07a1a', '#a8323e'][index],
    ]),
  );
  const text = (atX, atY, content, more = '') =>
    `<text x="${atX.toFixed(1)}" y="${atY.toFixed(1)}" ${more}>${content}</text>`;
  const lines = [];
  for (let percent = least; percent <= most; percent += 5) {
    lines.push(
      `<path d="M${left},${y(percent)} h${width}" stroke="#ddd"/>`,
      text(left - 8, y(percent) + 4, `${percent} %`, 'text-anchor="end"'),
    );
  }
  for (let exponent = Math.ceil(low); exponent <= high; exponent += 1) {
    const ms = 2 ** exponent;
    lines.push(
      `<path d="M${x(ms).toFixed(1)},${top} v${height}" stroke="#eee"/>`,
      text(x(ms), top + height + 18, `${ms} ms`, 'text-anchor="middle"'),
    );
  }
  const path = [...hull]
    .map(({ minMs, top1 }) => `${x(minMs).toFixed(1)},${y(top1).toFixed(1)}`)
    .join(' L');
  lines.push(`<path d="M${path}" fill="none" stroke="#999" stroke-dasharray="4 3"/>`);
  for (const rung of rungs) {
    const colour = colours.get(rung.alpha) ?? '#444';
    const fill = hull.has(rung) ? colour : '#fff';
    lines.push(
      `<circle cx="${x(rung.minMs).toFixed(1)}" cy="${y(rung.top1).toFixed(1)}" r="4.5" fill="${fill}" stroke="${colour}" stroke-width="1.5"/>`,
    );
    lines.push(
      text(x(rung.minMs) + 7, y(rung.top1) + 12, `${rung.size}`, `fill="${colour}" font-size="10"`),
    );
  }
  [...colours].forEach(([alpha, colour], index) => {
    lines.push(text(left + 12, top + 18 + index * 16, `α ${alpha}`, `fill="${colour}"`));
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="380" viewBox="0 0 640 380" font-family="sans-serif" font-size="12" fill="#333"><title>Milliseconds a picture against accuracy, with the hull</title><rect width="640" height="380" fill="#fff"/>${lines.join('')}</svg>\n`;
}
