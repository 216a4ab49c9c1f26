// Measures what an installed SSD detector costs with all of its labels and with a few:
//
//   node scripts/measure-labels.mjs MODELS_DIR/ssdlite_mobilenet_v2_coco person,car,dog [RUNS]
//
// One JSON object: bytes of the network that is loaded, milliseconds of leaving columns out (the first time and
// the least of eight), and of an inference and of decoding its boxes at the native size, with one thread (least
// and median). Runs of both take turns, so that what else the machine does falls on both alike.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withClasses } from '#mobilenetd/convert/kept-classes.js';
import { keptHead } from '#mobilenetd/inference/kept-classes.js';
import { ort, sessionOptions } from '#mobilenetd/inference/runtime.js';
import { createAnchors, decodeDetections } from '#mobilenetd/vision/ssd.js';

const [folder = '', names = '', runs = '220'] = process.argv.slice(2);
const { forms, sizes } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
const { file, head, input } = forms.symmetric;
const labels = readFileSync(join(folder, 'labels.txt'), 'utf8').trimEnd().split('\n');
const kept = names.split(',').map((name) => labels.indexOf(name));
if (kept.includes(-1)) throw new Error(`labels of ${folder} are expected; found ${names}`);
const bytes = readFileSync(join(folder, file));
const derived = [];
let cut = bytes;
for (let round = 0; round < 8; round += 1) {
  const started = performance.now();
  cut = withClasses(bytes, head, kept);
  derived.push(performance.now() - started);
}
const [size] = sizes;
const anchors = createAnchors(head, size, size);
const pixels = Uint8Array.from({ length: size * size * 3 }, (_, at) => (at * 2_654_435_761) >>> 24);
const feeds = { [input.name]: new ort.Tensor('uint8', pixels, [1, size, size, 3]) };
const networks = [];
for (const [model, own] of [
  [bytes, head],
  [cut, keptHead(head, kept)],
]) {
  const session = await ort.InferenceSession.create(model, sessionOptions(1, 'symmetric'));
  networks.push({ session, head: own, bytes: model.length, inference: [], decoding: [] });
}
for (let run = 0; run < Number(runs); run += 1) {
  for (const network of networks) {
    const started = performance.now();
    const outputs = await network.session.run(feeds);
    const inferred = performance.now();
    const layers = network.head.layers.map(({ boxes, scores }) => ({
      boxes: outputs[boxes.name].data,
      scores: outputs[scores.name].data,
    }));
    decodeDetections(layers, network.head, anchors, { threshold: 0.4 });
    network.inference.push(inferred - started);
    network.decoding.push(performance.now() - inferred);
  }
}

const rounded = (value) => Number(value.toFixed(3));

function figures(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { least: rounded(sorted[0]), median: rounded(sorted[sorted.length >> 1]) };
}

const [whole, few] = networks.map((network) => ({
  bytes: network.bytes,
  inferenceMs: figures(network.inference),
  decodingMs: figures(network.decoding),
}));
const derivingMs = { first: rounded(derived[0]), least: rounded(Math.min(...derived)) };
process.stdout.write(`${JSON.stringify({ labels: kept.length, derivingMs, whole, few })}\n`);
