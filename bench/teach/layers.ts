// Which feature map of the default detector tells taught things best; one JSON line each:
//
//   npm run bench:teach-layers [-- --photos FOLDER] [--models DIR] [--draws N]
//
// Ten of 53 things, 5 or 15 pictures of each to learn from and 20 others to test with, the same draws for all
// maps. A map is averaged over height and width; those of several are put one after the other. Maps are
// numbered from the finest on. Percent, with half the width of the 95 % interval over the draws. No unrelated
// pictures are fitted: the shipped bank is of one map alone.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openShelf } from '#mobilenetd/models/shelf.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { trainHead } from '#mobilenetd/teach/train.js';
import { drawTask } from './draws.js';
import { interval, share } from './figures.js';
import { embeddings, photographs } from './pictures.js';

const { values: flags } = parseArgs({
  options: {
    photos: { type: 'string', default: process.env.MOBILENETD_PHOTOS ?? '../shared/photos' },
    models: { type: 'string', default: join(homedir(), '.local/state/mobilenetd/models') },
    draws: { type: 'string', default: '30' },
  },
});

const DETECTOR = 'ssdlite_mobilenet_v2_coco_300';
const MAPS: readonly (readonly number[])[] = [[0], [1], [2], [0, 1]];
const EACH = [5, 15];
/** Photographs of a thing: those that main.ts takes, whose embeddings may be there already. */
const PHOTOS = { train: 45, validation: 12 };

const installed = await openShelf({ dir: flags.models }).variants();
const detector = installed.find(({ name }) => name === DETECTOR);
if (detector === undefined) throw new Error(`${DETECTOR} is not installed in ${flags.models}`);
const photos = [
  ...photographs(join(flags.photos, 'train'), PHOTOS.train),
  ...photographs(join(flags.photos, 'validation'), PHOTOS.validation),
];
if (photos.length === 0) throw new Error(`no photographs in ${flags.photos}`);
const byMap = new Map<number, Float32Array[]>();
for (const map of new Set(MAPS.flat())) {
  byMap.set(map, await embeddings(seenBy(detector, map), photos));
}
for (const maps of MAPS) {
  const seen = photos.map((photo, index) => {
    const parts = maps.flatMap((map) => [...(byMap.get(map)?.[index] ?? [])]);
    return { ...photo, embedding: Float32Array.from(parts) };
  });
  for (const each of EACH) {
    const shares = Array.from({ length: Number(flags.draws) }, (_, k) => {
      const options = { labels: 10, each, test: 20, others: 0, sources: 100, seed: k + 1 };
      const { train, test } = drawTask(seen, options);
      const { head } = trainHead(train, []);
      return share(test, ({ label, embedding }) => {
        const told = head.probabilities(embedding);
        return head.labels[told.indexOf(Math.max(...told))] === label;
      });
    });
    const values = seen[0]?.embedding.length;
    process.stdout.write(`${JSON.stringify({ maps, values, each, accuracy: interval(shares) })}\n`);
  }
}

/**
 * The detector as one of a single map: an embedding is made of the first that there is. Only the finest of the
 * whole detector has fewer anchors in a cell.
 */
function seenBy(variant: Variant, map: number): Variant {
  if (variant.head.kind !== 'ssd' || map === 0) return variant;
  const layer = variant.head.layers[map];
  if (layer === undefined) throw new Error(`${variant.name} has no map ${map}`);
  const anchors = { ...variant.head.anchors, reduceBoxesInLowestLayer: false };
  return {
    ...variant,
    name: `${variant.name}-map-${map}`,
    head: { ...variant.head, layers: [layer], anchors },
  };
}
