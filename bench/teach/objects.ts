// Taught objects and attributes, on real photographs and the default detector; one JSON line each:
//
//   npm run bench:teach-objects [-- --foreign FOLDER] [--photos FOLDER] [--models DIR] [NETWORK...]
//
// Frames are variations of the FOLDER's photographs of animals (MOBILENETD_TEST_IMAGES): another part, side,
// light, focus. In each the detector looks for an animal, whose crop is cut as `--of` cuts it and shown to each
// NETWORK; `frame` is the detector's own embedding of the whole frame, which costs no further run. The
// photographs are in the shipped banks: what is shown here is left out of them. Then (--photos) kinds of fruit,
// and two heads on one embedding. Figures are percent.
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { cropAround } from '#mobilenetd/daemon/line/second/crop.js';
import { embedPictures, encodedFrame } from '#mobilenetd/inference/embed.js';
import { startEngine } from '#mobilenetd/inference/engine.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { negativeBank } from '#mobilenetd/teach/bank.js';
import { type Example, type Head, namedLabel } from '#mobilenetd/teach/head.js';
import { trainHead } from '#mobilenetd/teach/train.js';
import { varied } from './foreign.js';
import { embeddings, photographs } from './pictures.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    foreign: { type: 'string', default: process.env.MOBILENETD_TEST_IMAGES ?? '../shared/images' },
    photos: { type: 'string', default: process.env.MOBILENETD_PHOTOS ?? '../shared/photos' },
    models: { type: 'string', default: join(homedir(), '.local/state/mobilenetd/models') },
  },
});

const DETECTOR = 'ssdlite_mobilenet_v2_coco_300';
const NETWORKS = [DETECTOR, 'mobilenet_v1_0.25_128_quant', 'mobilenet_v1_0.5_160_quant'];
/** Ten dogs, and whether their coat is dark in the photograph. */
const DOGS: readonly (readonly [name: string, isDark: boolean])[] = [
  ['Pekinese', true],
  ['Norwegian_elkhound', false],
  ['Irish_terrier', false],
  ['Dandie_Dinmont', false],
  ['Gordon_setter', true],
  ['groenendael', true],
  ['Rottweiler', true],
  ['Tibetan_mastiff', true],
  ['pug', false],
  ['dhole', false],
];
/** Animals that are never taught. */
const STRANGERS = /bluetick|Lhasa|Cardigan|Siamese|bear|crane|pelican|owl|peacock|bunting|camel/;
/** Ten kinds of fruit, and things that are packed or loose. */
const FRUITS = ['lemon', 'lime', 'orange', 'satsumas', 'red_grapefruit', 'peach', 'nectarine'];
FRUITS.push('apple', 'pear', 'plum');
const PACKED = ['juice', 'milk', 'oat_milk', 'sour_cream', 'soy_milk', 'yoghurt'];
const LOOSE = ['apple', 'banana', 'carrots', 'cucumber', 'onion', 'potato'];
const ANIMALS = ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra'];
const LEAST_SCORE = 0.5;
const LEAST_SHARE = 0.7;
/** Frames of a photograph, and how many of those in which an animal was found are learnt. */
const FRAMES = 20;
const LEARNT = 5;
const PARTS = 4;

/** What the detector found in a frame. */
interface Sighting {
  readonly name: string;
  readonly source: number;
  readonly crop: Uint8Array;
  readonly frame: Float32Array;
}

interface Crop extends Sighting {
  readonly embedding: Float32Array;
}

const files = readdirSync(flags.foreign).filter((name) => /\.jpe?g$/i.test(name));
files.sort();
const installed = await openShelf({ dir: flags.models }).variants();
const sightings = await lookAtAnimals();
for (const name of ['frame', ...(positionals.length > 0 ? positionals : NETWORKS)]) {
  const network = name === 'frame' ? variantOf(DETECTOR) : variantOf(name);
  const crops: Crop[] = [];
  if (name === 'frame') {
    for (const sighting of sightings) crops.push({ ...sighting, embedding: sighting.frame });
  } else {
    const shown = sightings.map(({ crop }) => crop);
    for await (const embedding of embedPictures(network, shown)) {
      crops.push({ ...(sightings[crops.length] as Sighting), embedding });
    }
  }
  tell({ network: name, which: 'ten dogs', ...individuals(crops, network) });
  tell({ network: name, which: 'dark coat', ...coats(crops, network) });
}
for (const name of positionals.length > 0 ? positionals : NETWORKS) {
  const network = variantOf(name);
  const photos = [
    ...photographs(join(flags.photos, 'train'), 45),
    ...photographs(join(flags.photos, 'validation'), 12),
  ];
  const rows = await embeddings(network, photos);
  const seen = photos.map(({ label }, k) => ({ label, embedding: rows[k] as Float32Array }));
  tell({ network: name, which: 'ten fruits', ...fruits(seen, network) });
  tell({ network: name, which: 'two heads', ...twoHeads(seen, network) });
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function variantOf(name: string): Variant {
  const found = installed.find((variant) => variant.name === name);
  if (found === undefined) throw new Error(`${name} is not installed in ${flags.models}`);
  return found;
}

/** The shipped bank without some photographs. */
function bankWithout({ name }: Variant, sources: ReadonlySet<number>): Float32Array[] {
  const file = new URL(`../../../models/embeddings/${name}.bank`, import.meta.url);
  const bank = negativeBank(readFileSync(file));
  return bank.filter((_, row) => !sources.has(Math.floor(row / PARTS)));
}

/** Frames of each animal, with the crop of what the detector finds in it. */
async function lookAtAnimals(): Promise<Sighting[]> {
  const engine = await startEngine({ threads: 1 });
  const detector = variantOf(DETECTOR);
  await engine.load({ ...detector, embedding: true });
  const found: Sighting[] = [];
  const misses: Record<string, number> = {};
  for (const [source, file] of files.entries()) {
    const name = file.replace(/^n\d+_|\.jpe?g$/gi, '');
    if (!DOGS.some(([dog]) => dog === name) && !STRANGERS.test(name)) continue;
    const photograph = readFileSync(join(flags.foreign, file));
    for (let k = 0; k < FRAMES; k += 1) {
      const bytes = await varied(photograph, `${file} frame ${k}`, LEAST_SHARE);
      const run = { topK: 1, threshold: LEAST_SCORE, embedding: true } as const;
      const result = await engine.run(detector.name, encodedFrame(bytes, k), run);
      const { width = 1, height = 1 } = await sharp(bytes).metadata();
      const animal = result.labels.find(({ label, box }) => box && ANIMALS.includes(label));
      if (!animal?.box || result.embedding === undefined) {
        misses[name] = (misses[name] ?? 0) + 1;
        continue;
      }
      const [x, y, w, h] = cropAround(animal.box, [width, height], 1).map(Math.floor);
      const area = { left: x ?? 0, top: y ?? 0, width: w ?? 1, height: h ?? 1 };
      const crop = await sharp(bytes).extract(area).jpeg({ quality: 92 }).toBuffer();
      found.push({ name, source, crop, frame: result.embedding });
    }
  }
  await engine.close();
  tell({ frames: FRAMES, found: found.length, missed: misses });
  return found;
}

/** Ten dogs, told apart in other frames of their photographs; strangers are all other animals. */
function individuals(crops: readonly Crop[], network: Variant) {
  const dogs = new Set<string>(DOGS.map(([name]) => name));
  const learn: Crop[] = [];
  const test: Crop[] = [];
  for (const name of dogs) {
    const own = crops.filter((crop) => crop.name === name);
    learn.push(...own.slice(0, LEARNT));
    test.push(...own.slice(LEARNT));
  }
  const bank = bankWithout(network, new Set(crops.map(({ source }) => source)));
  const { head } = trainHead(learn.map(exampleOf), bank);
  const strangers = crops.filter(({ name }) => !dogs.has(name));
  return {
    tested: test.length,
    accuracy: percent(test, ({ name, embedding }) => best(head, embedding) === name),
    recall: percent(test, ({ name, embedding }) => named(head, embedding) === name),
    mistaken: percent(test, (crop) => ![crop.name, null].includes(named(head, crop.embedding))),
    strangers: strangers.length,
    taken: percent(strangers, ({ embedding }) => named(head, embedding) !== null),
  };
}

/** Whether a coat is dark, of each dog by what the nine others have taught. */
function coats(crops: readonly Crop[], network: Variant) {
  const bank = bankWithout(network, new Set(crops.map(({ source }) => source)));
  const judged = DOGS.flatMap(([dog, isDark]) => {
    const learn = DOGS.filter(([other]) => other !== dog).flatMap(([other, dark]) =>
      crops
        .filter(({ name }) => name === other)
        .slice(0, LEARNT)
        .map(({ embedding }) => ({ label: dark ? 'dark' : 'light', embedding })),
    );
    const { head } = trainHead(learn, bank);
    const own = crops.filter(({ name }) => name === dog);
    return own.map(({ embedding }) => best(head, embedding) === (isDark ? 'dark' : 'light'));
  });
  return { dogs: DOGS.length, tested: judged.length, accuracy: percent(judged, (right) => right) };
}

type Seen = Example & { readonly label: string };

/** Every third photograph is learnt, up to 15 of a kind; the rest is told. */
function fruits(seen: readonly Seen[], network: Variant) {
  const { learn, test } = parted(seen, FRUITS);
  const { head } = trainHead(learn, bankWithout(network, new Set()));
  return {
    tested: test.length,
    accuracy: percent(test, ({ label, embedding }) => best(head, embedding) === label),
    recall: percent(test, ({ label, embedding }) => named(head, embedding) === label),
  };
}

/** One embedding, two heads: what it is, and whether it is packed; of the second, of kinds never shown. */
function twoHeads(seen: readonly Seen[], network: Variant) {
  const bank = bankWithout(network, new Set());
  const all = [...PACKED, ...LOOSE];
  const { learn, test } = parted(seen, all);
  const kinds = trainHead(learn, bank).head;
  const isPacked = ({ label }: Seen) => PACKED.includes(label);
  const known = new Set([...PACKED.slice(0, 3), ...LOOSE.slice(0, 3)]);
  const shown = learn.filter(({ label }) => known.has(label));
  const packing = trainHead(
    shown.map((each) => ({ ...each, label: isPacked(each) ? 'packed' : 'loose' })),
    bank,
  ).head;
  const unseen = test.filter(({ label }) => !known.has(label));
  return {
    kind: percent(test, ({ label, embedding }) => best(kinds, embedding) === label),
    packed: percent(
      unseen,
      (each) => best(packing, each.embedding) === (isPacked(each) ? 'packed' : 'loose'),
    ),
    tested: test.length,
    unseenKinds: unseen.length,
  };
}

function parted(seen: readonly Seen[], labels: readonly string[]) {
  const learn: Seen[] = [];
  const test: Seen[] = [];
  for (const label of labels) {
    const own = seen.filter((each) => each.label === label);
    for (const [k, each] of own.entries()) (k % 3 === 0 && k < 45 ? learn : test).push(each);
  }
  return { learn, test };
}

function exampleOf({ name, embedding }: Crop): Example {
  return { label: name, embedding };
}

function best(head: Head, embedding: Float32Array): string | undefined {
  const probabilities = head.probabilities(embedding);
  return head.labels[probabilities.indexOf(Math.max(...probabilities))];
}

function named(head: Head, embedding: Float32Array): string | null {
  return namedLabel(head, head.probabilities(embedding));
}

function percent<T>(all: readonly T[], holds: (one: T) => boolean): number {
  return Number(((100 * all.filter(holds).length) / all.length).toFixed(1));
}
