// Which feature map of the default detector tells taught things best: one JSON line each.
//
//   npm run build:test && node .build/bench/teach/layers.js [--photos FOLDER] [--models DIR] [--draws N]
//
// Ten of 53 things, 5 or 15 pictures of each to learn from and 20 others to test with, the same draws for all.
// Each map is averaged over height and width; two are put one after the other. Percent, with half the width of
// the 95 % interval over the draws. No unrelated pictures are fitted: the shipped bank is of one map alone.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openShelf } from '#mobilenetd/models/shelf.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { trainHead } from '#mobilenetd/teach/train.js';
import { drawTask } from './draws.js';
import { embeddings, photographs } from './pictures.js';

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string', default: process.env.MOBILENETD_PHOTOS ?? '../shared/photos' },
    models: { type: 'string', default: join(homedir(), '.local/state/mobilenetd/models') },
    draws: { type: 'string', default: '12' },
  },
});

const DETECTOR = 'ssdlite_mobilenet_v2_coco_300';
const MAPS: readonly (readonly number[])[] = [[0], [1], [2], [0, 1]];
const EACH = [5, 15];
/** Photographs of a thing: those of the bench of all networks. */
const PHOTOS = { train: 45, validation: 12 };

const installed = await openShelf({ dir: flags.models }).variants();
const detector = installed.find(({ name }) => name === DETECTOR);
if (detector === undefined) throw new Error(`${DETECTOR} is not installed in ${flags.models}`);
const photos = [
  ...photographs(join(flags.photos, 'train'), PHOTOS.train),
  ...photographs(join(flags.photos, 'validation'), PHOTOS.validation),
];
const byMap = new Map<number, Float32Array[]>();
for (const map of new Set(MAPS.flat()))
  byMap.set(map, await embeddings(seenBy(detector, map), photos));
for (const maps of MAPS) {
  const seen = photos.map((photo, index) => {
    const parts = maps.flatMap((map) => [...(byMap.get(map)?.[index] ?? [])]);
    return { ...photo, embedding: Float32Array.from(parts) };
  });
  const values = seen[0]?.embedding.length;
  for (const each of EACH) {
    const shares = Array.from({ length: Number(flags.draws) }, (_, k) => {
      const options = { labels: 10, each, test: 20, others: 0, sources: 100, seed: k + 1 };
      const { train, test } = drawTask(seen, options);
      const { head } = trainHead(train, []);
      const right = test.filter(({ label, embedding }) => {
        const told = head.probabilities(embedding);
        return head.labels[told.indexOf(Math.max(...told))] === label;
      });
      return (100 * right.length) / test.length;
    });
    process.stdout.write(`${JSON.stringify({ maps, values, each, accuracy: interval(shares) })}\n`);
  }
}

/** The detector with another of its maps as the first, of which embeddings are made. */
function seenBy(variant: Variant, map: number): Variant {
  if (variant.head.kind !== 'ssd' || map === 0) return variant;
  const first = variant.head.layers[map];
  if (first === undefined) throw new Error(`${variant.name} has no map ${map}`);
  const others = variant.head.layers.filter((layer) => layer !== first);
  // Embeddings are kept by the name and the file: these are of another map.
  const sha256 = `${variant.sha256} ${map}`;
  return { ...variant, sha256, head: { ...variant.head, layers: [first, ...others] } };
}

function interval(values: readonly number[]): readonly [mean: number, half: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = 1.96 * Math.sqrt(squares / (values.length - 1) / values.length);
  return [Number(mean.toFixed(1)), Number(half.toFixed(1))];
}
