// Taught heads: figures by variant and pictures a label, one JSON line each, with bars:
//
//   npm run bench:teach [-- --photos FOLDER] [--foreign FOLDER] [--models DIR] [--draws N] [--first N]
//     [--strange N] [--each N,N] [--least N] [--bank NAME] [--cost] [VARIANT...]
//
// The first FOLDER holds train/LABEL/ and validation/LABEL/ (MOBILENETD_PHOTOS); the second the photographs
// that the banks are made of (MOBILENETD_TEST_IMAGES); DIR the installed models. A draw takes ten labels, 1, 5
// or 20 pictures of each to learn from and 20 others to test with. Of the shipped bank, four fifths of its
// photographs are fitted with what was drawn; 20 variations of each photograph of the last fifth, without
// those that show things like those taught, are the foreign pictures: no photograph is in both. What passes of
// those is often several variations of one photograph in one draw, so that they are shown to the heads of
// further draws, --strange in all. --first is the first draw's number: others are other draws. Labels are drawn of
// those that have photographs enough, so that with 20 pictures they are others than with one; --least N draws all
// of those that have N. Embeddings are kept in $XDG_CACHE_HOME/mobilenetd/teach. Exit status 1 if a bar is missed.
// --bank judges by another variant's bank; --cost says only what an embedding costs an inference, training, and a
// frame's head.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openShelf } from '#mobilenetd/models/shelf.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { negativeBank } from '#mobilenetd/teach/bank.js';
import { type Head, namedLabel } from '#mobilenetd/teach/head.js';
import { createSpace, meanOf, type Space } from '#mobilenetd/teach/space.js';
import { type Trained, trainHead } from '#mobilenetd/teach/train.js';
import { addedCost } from './added.js';
import { type Draw, drawTask, type Seen } from './draws.js';
import { interval, mean, round, share } from './figures.js';
import { type Foreign, variations } from './foreign.js';
import { embeddings, photographs } from './pictures.js';
import { type Classifier, imprinting, type Lesson, logistic, simpleShot } from './rivals.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    photos: { type: 'string', default: process.env.MOBILENETD_PHOTOS ?? '../shared/photos' },
    foreign: { type: 'string', default: process.env.MOBILENETD_TEST_IMAGES ?? '../shared/images' },
    models: { type: 'string', default: join(homedir(), '.local/state/mobilenetd/models') },
    draws: { type: 'string', default: '30' },
    strange: { type: 'string', default: '150' },
    first: { type: 'string', default: '1' },
    each: { type: 'string', default: '1,5,20' },
    least: { type: 'string', default: '0' },
    bank: { type: 'string' },
    cost: { type: 'boolean', default: false },
  },
});

const VARIANTS = [
  'mobilenet_v1_0.25_128_quant',
  'mobilenet_v1_0.5_160_quant',
  'mobilenet_v1_0.75_192_quant',
  'mobilenet_v2_1.0_224_quant',
  'ssdlite_mobilenet_v2_coco_300',
];
const EACH = flags.each.split(',').map(Number);
const TEST = 20;
const OTHERS = 300;
/** Of the bank: parts of a photograph, photographs, and then drawn scenes (scripts/teach-bank.mjs). */
const PARTS = 4;
const SOURCES = 100;
/** Foreign pictures of a photograph. */
const VARIATIONS = 20;
/** Photographs of the bank that show clothes or food, by their place in it: nobody can call those foreign. */
const ALIKE = new Set([
  41, 43, 46, 47, 50, 51, 52, 54, 58, 61, 77, 82, 83, 92, 93, 94, 95, 96, 98, 99,
]);
const BARS = { gap: 3, foreign: 0.1, trainMs: 1000, headMs: 0.05 };

const missed: string[] = [];
const shelf = openShelf({ dir: flags.models });
const installed = await shelf.variants();
const photos = [
  ...photographs(join(flags.photos, 'train'), 45),
  ...photographs(join(flags.photos, 'validation'), 12),
];
const strange = variations(flags.foreign, VARIATIONS);
if (strange.length === 0) throw new Error(`no photographs in ${flags.foreign}`);
if (photos.length === 0) throw new Error(`no photographs in ${flags.photos}`);

for (const name of positionals.length > 0 ? positionals : VARIANTS) {
  const variant = installed.find((entry) => entry.name === name);
  const bank = bankOf(flags.bank ?? name);
  if (variant === undefined || bank === null) {
    process.stderr.write(`${name} is left out: it is not installed, or has no bank\n`);
    continue;
  }
  const [plain, asked] = await addedCost(variant);
  const added = { inferenceMs: round(plain), embeddingMs: round(asked) };
  process.stdout.write(`${JSON.stringify({ variant: variant.name, ...added })}\n`);
  const rows = await embeddings(variant, photos);
  const seen = photos.map((photo, index) => ({ ...photo, embedding: rows[index] as Float32Array }));
  cost(variant, seen, bank);
  if (flags.cost) continue;
  const strangers = await embeddings(variant, strange);
  const foreign = strange.map(({ source }, index) => {
    return { source, embedding: strangers[index] as Float32Array };
  });
  for (const each of EACH) figures(variant, seen, { bank, foreign }, each);
}
for (const bar of missed) process.stderr.write(`missed: ${bar}\n`);
process.exitCode = missed.length > 0 ? 1 : 0;

function bankOf(name: string): Float32Array[] | null {
  const file = new URL(`../../../models/embeddings/${name}.bank`, import.meta.url);
  return existsSync(file) ? negativeBank(readFileSync(file)) : null;
}

interface Unrelated {
  readonly bank: readonly Float32Array[];
  readonly foreign: readonly (Pick<Foreign, 'source'> & { readonly embedding: Float32Array })[];
}

/** What is fitted, and foreign pictures of other photographs. */
function split({ bank, foreign }: Unrelated, { heldOut }: Draw) {
  return {
    fitted: bank.filter((_, row) => !heldOut.has(Math.floor(row / PARTS))),
    foreign: foreign.flatMap(({ source, embedding }) =>
      heldOut.has(source) && !ALIKE.has(source) ? [embedding] : [],
    ),
  };
}

function figures(
  variant: Variant,
  seen: readonly Seen[],
  unrelated: Unrelated,
  each: number,
): void {
  const shares = new Map<string, number[]>();
  const add = (name: string, value: number) =>
    shares.set(name, [...(shares.get(name) ?? []), value]);
  const penalties = new Map<number, number>();
  const [first, draws] = [Number(flags.first), Number(flags.draws)];
  for (let seed = first; seed < first + Math.max(draws, Number(flags.strange)); seed += 1) {
    const options = {
      ...{ labels: 10, each, test: TEST, others: OTHERS, sources: SOURCES, seed },
      least: Number(flags.least),
    };
    const draw = drawTask(seen, options);
    const { fitted, foreign } = split(unrelated, draw);
    const trained = trainHead(draw.train, fitted);
    // The same as a task of one label: "is it there?"
    const [label = ''] = draw.labels;
    const own = draw.train.filter((example) => example.label === label);
    const one = trainHead(own, fitted).head;
    add('foreign', share(foreign, passerOf(trained.head)));
    add('one label: foreign', share(foreign, passerOf(one)));
    if (seed >= first + draws) continue;
    const { penalty } = trained.report;
    penalties.set(penalty, (penalties.get(penalty) ?? 0) + 1);
    for (const [name, value] of worth(draw, trained, fitted)) add(name, value);
    const tested = draw.test.filter((example) => example.label === label);
    add(
      'one label: recall',
      share(tested, ({ embedding }) => passerOf(one)(embedding)),
    );
  }
  const line: Record<string, unknown> = { variant: variant.name, form: variant.form, each };
  for (const [name, values] of shares) line[name] = interval(values);
  process.stdout.write(
    `${JSON.stringify({ ...line, penalties: Object.fromEntries(penalties) })}\n`,
  );
  judge(`${variant.name}, ${each} pictures`, shares, each);
}

function passerOf(head: Head): (embedding: Float32Array) => boolean {
  return (embedding) => namedLabel(head, head.probabilities(embedding)) !== null;
}

/** Of one draw: accuracy of the head and of its rivals, what its report expects, and what reaches thresholds. */
function worth(
  draw: Draw,
  { head, report }: Trained,
  fitted: readonly Float32Array[],
): [name: string, share: number][] {
  const accuracy = share(draw.test, ({ label, embedding }) => best(head, embedding) === label);
  const named = (embedding: Float32Array) => namedLabel(head, head.probabilities(embedding));
  const told: [string, number][] = [['ridge', accuracy], ...rivals(draw, fitted)];
  if (report.accuracy !== null && report.leftOut !== null) {
    told.push(['report', report.accuracy], ['report − ridge', report.accuracy - accuracy]);
    told.push(['left out', report.leftOut]);
  }
  told.push(['recall', share(draw.test, ({ label, embedding }) => named(embedding) === label)]);
  if (report.recall !== null) told.push(['report: recall', report.recall]);
  told.push(['alike', share(draw.others, ({ embedding }) => named(embedding) !== null)]);
  return told;
}

function judge(what: string, shares: ReadonlyMap<string, readonly number[]>, each: number): void {
  const percent = (name: string) => 100 * mean(shares.get(name) ?? []);
  // Of one picture a label nothing can be left out, and the report has no figure.
  const gap = percent('report') - percent('ridge');
  if (each > 1 && !(Math.abs(gap) <= BARS.gap))
    missed.push(`${what}: the report is ${gap.toFixed(1)} points away`);
  for (const name of ['foreign', 'one label: foreign']) {
    if (percent(name) > BARS.foreign) missed.push(`${what}: ${name} ${percent(name).toFixed(2)} %`);
  }
}

function best(head: Head, embedding: Float32Array): string | undefined {
  const probabilities = head.probabilities(embedding);
  return head.labels[probabilities.indexOf(Math.max(...probabilities))];
}

function rivals(draw: Draw, fitted: readonly Float32Array[]): [string, number][] {
  const dimension = draw.train[0]?.embedding.length ?? 0;
  const centred = createSpace(meanOf(fitted, dimension));
  const plain = createSpace(new Float64Array(dimension));
  const accuracy = (space: Space, learn: (lesson: Lesson) => Classifier) => {
    const classify = learn({
      places: draw.train.map(({ embedding }) => space.place(embedding)),
      labels: draw.train.map(({ label }) => draw.labels.indexOf(label)),
      count: draw.labels.length,
    });
    return share(draw.test, ({ label, embedding }) => {
      return draw.labels[classify(space.place(embedding))] === label;
    });
  };
  return [
    ['simpleshot', accuracy(centred, simpleShot)],
    ['imprinting', accuracy(plain, imprinting)],
    ['logistic', accuracy(centred, logistic)],
  ];
}

/** Processor time of training with 200 pictures and the whole bank, and of a frame; least of several. */
function cost(variant: Variant, seen: readonly Seen[], bank: readonly Float32Array[]): void {
  const options = { labels: 10, each: 20, test: TEST, others: 0, sources: SOURCES, seed: 1 };
  const { train, test } = drawTask(seen, options);
  const { head } = trainHead(train, bank);
  const trainMs = least(3, () => trainHead(train, bank));
  const rounds = 50;
  const all = least(5, () => {
    for (let k = 0; k < rounds; k += 1) {
      for (const { embedding } of test) head.probabilities(embedding);
    }
  });
  const headMs = all / (rounds * test.length);
  const line = {
    variant: variant.name,
    trainMs: round(trainMs),
    headMs: Number(headMs.toFixed(4)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (trainMs > BARS.trainMs) missed.push(`${variant.name}: training ${round(trainMs)} ms`);
  if (headMs > BARS.headMs) missed.push(`${variant.name}: head ${headMs} ms`);
}

function least(times: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < times; k += 1) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}
