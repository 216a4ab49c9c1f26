// Measures what the int8 form of a float detector needs to know of its activations and writes
// models/NAME.calibration.json:
//
//   npm run build && node scripts/fetch-detector.mjs && node scripts/calibrate-detector.mjs [NAME]
//
// Deterministic: pictures in order of name, one resizer. It takes some minutes.
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { equalizableGroups, equalizeGraph } from '#mobilenetd/convert/equalize.js';
import { writeOnnx } from '#mobilenetd/convert/onnx/write.js';
import {
  calibrationFile,
  detectorEntry,
  infer,
  loadPicture,
  mirrored,
  openSession,
  pictureFiles,
  readDetector,
} from './detector-data.mjs';

const entry = detectorEntry(process.argv[2]);
/**
 * Part of the values that each end of a range leaves out: inside the network a finer step is worth
 * more than rare values; of the outputs, the rare values are the objects.
 */
const LEFT_OUT = { inside: 5e-5, outputs: 1e-5 };
/**
 * Logits below −6 (a score of 0.25 %) are never looked at and above 8 (99.97 %) are certain, so the
 * 256 steps are spent in between.
 */
const LOGIT_RANGE = [-6, 8];

const source = readDetector(entry);
const { calibration: files } = pictureFiles();
const pictures = [];
for (const size of entry.sizes) {
  for (const file of files) {
    const picture = await loadPicture(file, size);
    pictures.push({ size, picture }, { size, picture: mirrored(picture, size) });
  }
}

const channelScales = await measureChannelScales(source);
const graph = equalizeGraph(source, channelScales);
const ranges = await measureRanges(graph);
const convolutions = graph.operators.filter(({ kind }) => kind === 'conv');
const means = await measureMeans(graph, [...new Set(convolutions.map(({ input }) => input))]);
writeFileSync(calibrationFile(entry), format());

/**
 * Square roots of each channel's greatest magnitude, relative to the geometric mean of its group:
 * half of the difference goes into the activations, half into the weights that read them.
 */
async function measureChannelScales(graph) {
  const groups = equalizableGroups(graph);
  const peaks = new Map();
  await runPrefix(graph, groups.flat(), (name, data, channels) => {
    if (!peaks.has(name)) peaks.set(name, new Float32Array(channels));
    const peak = peaks.get(name);
    for (let i = 0; i < data.length; i++) {
      peak[i % channels] = Math.max(peak[i % channels], Math.abs(data[i]));
    }
  });
  return new Map(
    groups.map((group) => {
      const highest = Array.from(peaks.get(group[0]), (_, channel) => {
        return Math.max(1e-3, ...group.map((name) => peaks.get(name)[channel]));
      });
      const logarithms = highest.map((value) => Math.log(value));
      const mean = Math.exp(logarithms.reduce((sum, value) => sum + value, 0) / highest.length);
      return [group[0], highest.map((value) => rounded(Math.sqrt(value / mean), 4))];
    }),
  );
}

/** Percentiles of all activations without an activation function. */
async function measureRanges(graph) {
  const linear = graph.operators.filter(({ activation }) => activation === 'none');
  const ranges = new Map();
  for (const { output, kind } of linear) {
    const isScore = graph.outputs.indexOf(output) % 2 === 1;
    const values = [];
    await runPrefix(graph, [output], (_, data) => values.push(data.slice()));
    const isOutput = graph.outputs.includes(output);
    const [low, high] = percentiles(values, isOutput ? LEFT_OUT.outputs : LEFT_OUT.inside);
    ranges.set(output, [
      rounded(isScore ? Math.max(low, LOGIT_RANGE[0]) : low, 5),
      rounded(isScore ? Math.min(high, LOGIT_RANGE[1]) : high, 5),
    ]);
    progress(`range of ${kind} ${output}`);
  }
  return ranges;
}

/**
 * Mean of each channel of each named activation; every picture counts alike. Means of the float
 * network, not of the quantized one: corrections measured there, front to back, came out worse, for
 * the mean that clipping rare values takes away would be added everywhere.
 */
async function measureMeans(graph, names) {
  const sums = new Map();
  await runPrefix(graph, names, (name, data, channels) => {
    if (!sums.has(name)) sums.set(name, new Float64Array(channels));
    const sum = sums.get(name);
    const weight = channels / data.length / pictures.length;
    for (let i = 0; i < data.length; i++) sum[i % channels] += data[i] * weight;
  });
  for (const [name, sum] of sums)
    sums.set(
      name,
      Array.from(sum, (value) => rounded(value, 4)),
    );
  return sums;
}

/** Runs the part of the graph that leads to the named activations on every picture. */
async function runPrefix(graph, names, onValues) {
  const needed = new Set(names);
  const operators = graph.operators.toReversed().filter((operator) => {
    if (!needed.has(operator.output)) return false;
    for (const input of operator.inputs ?? [operator.input]) needed.add(input);
    return true;
  });
  const prefix = { ...graph, operators: operators.toReversed(), outputs: names };
  const session = await openSession(writeOnnx(prefix));
  for (const { size, picture } of pictures) {
    const results = await infer(session, picture, size);
    for (const name of names) onValues(name, results[name].data, results[name].dims.at(-1));
  }
  await session.release();
}

function percentiles(parts, leftOut) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  all.sort();
  const skipped = Math.round(leftOut * (all.length - 1));
  return [all[skipped], all[all.length - 1 - skipped]];
}

function rounded(value, digits) {
  return Number(value.toPrecision(digits));
}

function progress(text) {
  process.stderr.write(`${text}\n`);
}

/** One tensor a line, so that a new calibration can be compared with the old one. */
function format() {
  const about = {
    model: entry.name,
    made_by: 'scripts/calibrate-detector.mjs',
    pictures: files.map((file) => basename(file)),
    sizes: entry.sizes,
    left_out: LEFT_OUT,
  };
  const lines = (map) => {
    const entries = [...map].map(([name, values]) => {
      return `    ${JSON.stringify(name)}: ${JSON.stringify(values)}`;
    });
    return `{\n${entries.join(',\n')}\n  }`;
  };
  return [
    `{\n  "about": ${JSON.stringify(about)}`,
    `  "channelScales": ${lines(channelScales)}`,
    `  "ranges": ${lines(ranges)}`,
    `  "means": ${lines(means)}\n}\n`,
  ].join(',\n');
}
