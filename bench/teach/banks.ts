// How large a bank of unrelated embeddings has to be; one JSON line a network:
//
//   npm run bench:teach-banks [-- --models DIR] [NETWORK...]
//
// Drawn mugs: 14 with a spoon and 30 without are taught, 100 others of either kind are shown. Of each installed
// network that has a bank: how many spoons are told, and how many mugs without one, with the whole bank, each
// second and each fourth of it. Without a name, all networks of mobilenetd_things.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { embedPictures } from '#mobilenetd/inference/embed.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { negativeBank } from '#mobilenetd/teach/bank.js';
import { namedLabel } from '#mobilenetd/teach/head.js';
import { trainHead } from '#mobilenetd/teach/train.js';
import { drawMugs } from '../../test/slow/drawn-mugs.js';
import { mean, round } from './figures.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    models: { type: 'string', default: join(homedir(), '.local/state/mobilenetd/models') },
  },
});

const LADDER = 'mobilenetd_things';
const STEPS = [1, 2, 4];
const SETS = {
  taught: { from: 1, count: 14, hasSpoon: true },
  opposite: { from: 100, count: 30, hasSpoon: false },
  seen: { from: 1000, count: 100, hasSpoon: true },
  empty: { from: 2000, count: 100, hasSpoon: false },
} as const;
type Name = keyof typeof SETS;

const place = mkdtempSync(join(tmpdir(), 'mugs-'));
const pictures = new Map<Name, Buffer[]>();
for (const name of Object.keys(SETS) as Name[]) {
  const folder = await drawMugs(place, name, SETS[name]);
  const files = readdirSync(folder).sort();
  pictures.set(
    name,
    files.map((file) => readFileSync(join(folder, file))),
  );
}
rmSync(place, { recursive: true });

const told = new Map<number, number[]>();
for (const variant of await openShelf({ dir: flags.models }).variants()) {
  const isMeant =
    positionals.length > 0 ? positionals.includes(variant.name) : variant.name.startsWith(LADDER);
  const file = new URL(`../../../models/embeddings/${variant.name}.bank`, import.meta.url);
  if (!isMeant || !existsSync(file)) continue;
  const bank = negativeBank(readFileSync(file));
  const seen = await embeddingsBy(variant);
  for (const step of STEPS) {
    const part = bank.filter((_, row) => row % step === 0);
    const [spoons, wrong] = tell(seen, part);
    told.set(step, [...(told.get(step) ?? []), spoons]);
    const line = { variant: variant.name, bank: part.length, spoons, wrong };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
for (const [step, spoons] of told) {
  process.stdout.write(`${JSON.stringify({ each: step, spoons: round(mean(spoons)) })}\n`);
}

async function embeddingsBy(variant: Variant): Promise<Record<Name, Float32Array[]>> {
  const seen: Record<Name, Float32Array[]> = { taught: [], opposite: [], seen: [], empty: [] };
  for (const [name, shown] of pictures) {
    for await (const embedding of embedPictures(variant, shown)) seen[name].push(embedding);
  }
  return seen;
}

/** Of 100 each: spoons that are told, and mugs without one that are told to have one. */
function tell(
  seen: Record<Name, Float32Array[]>,
  bank: readonly Float32Array[],
): readonly [spoons: number, wrong: number] {
  const examples = [
    ...seen.taught.map((embedding) => ({ label: 'spoon', embedding })),
    ...seen.opposite.map((embedding) => ({ label: null, embedding })),
  ];
  const { head } = trainHead(examples, bank);
  const isTold = (embedding: Float32Array) =>
    namedLabel(head, head.probabilities(embedding)) !== null;
  return [seen.seen.filter(isTold).length, seen.empty.filter(isTold).length];
}
