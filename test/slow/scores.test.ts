import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { isSoftmax } from '#mobilenetd/inference/postprocess.js';
import { openShelf } from '#mobilenetd/models/shelf.js';
import type { Task, Variant } from '#mobilenetd/models/variant.js';
import { picturesOf, shippedPictures, variedPictures } from '#mobilenetd/profile/pictures.js';
import { isLarger } from '#mobilenetd/profile/profiles.js';
import {
  answersOf,
  distanceOf,
  labelPairs,
  measureScale,
  objectPairs,
} from '#mobilenetd/profile/scale.js';
import { installNetworks } from '../integration/random-model.js';
import { soak } from './soak.js';
import { THINGS } from './things.js';

/** Of the pictures that the measuring does not see. */
const EVERY = soak(2, 1);

const IMAGES = process.env.MOBILENETD_TEST_IMAGES ?? '../shared/images';
const MIRROR = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';
const models = await mkdtemp(join(tmpdir(), 'mobilenetd-scores-'));
t.teardown(() => rm(models, { recursive: true, force: true }));
t.setTimeout(1_200_000);

/** Ladders, and by how much the scores of their networks must come nearer to their largest's in the mean. */
const LADDERS: readonly {
  readonly names: readonly string[];
  readonly task: Task;
  readonly nearer: number;
}[] = [
  { names: THINGS, task: 'classify', nearer: 0.03 },
  { names: ['ssdlite_mobilenet_v2_coco'], task: 'detect', nearer: 0.01 },
  {
    // Three networks that say too much otherwise than the fourth: theirs may stay as they are.
    names: ['0.25_128', '0.5_160', '0.75_192']
      .map((name) => `mobilenet_v1_${name}_quant`)
      .concat('mobilenet_v2_1.0_224_quant'),
    task: 'classify',
    nearer: 0,
  },
];

async function installed(names: readonly string[], task: Task): Promise<Variant[] | null> {
  const folder = join(models, names[0] ?? '');
  try {
    await installNetworks(folder, names, existsSync(MIRROR) ? MIRROR : null);
  } catch (error) {
    if (isCodedError(error) && error.code === 'MND_DOWNLOAD_FAILED') return null;
    throw error;
  }
  return [...(await openShelf({ dir: join(folder, 'models') }).variants(task, 'auto'))];
}

/** How far a network's scores of pictures are from those expected, by itself and with a temperature. */
async function apartOn(
  pictures: readonly Frame[],
  variant: Variant,
  expected: Awaited<ReturnType<typeof answersOf>>,
): Promise<(temperature: number) => number> {
  const found = await answersOf(variant, pictures);
  const pairsOf = isSoftmax(variant.head) ? labelPairs : objectPairs;
  const pairs = expected.flatMap((answers, at) => pairsOf(answers, found[at] ?? []));
  return (temperature) => distanceOf(pairs, temperature);
}

for (const { names, task, nearer } of LADDERS) {
  const skip = existsSync(IMAGES) ? false : 'no test pictures';
  t.test(`${names[0]}: measured on the shipped pictures, nearer on others`, { skip }, async (t) => {
    const variants = await installed(names, task);
    if (variants === null) {
      t.comment('cannot be fetched here');
      return;
    }
    t.ok(variants.length >= 4, `${variants.length} networks`);
    const reference = variants.reduce((a, b) => (isLarger(b, a) ? b : a));
    const shown = [...(await shippedPictures()), ...(await variedPictures())];
    const heldOut = (await picturesOf(IMAGES)).filter((_, index) => index % EVERY === 0);
    const expected = await answersOf(reference, heldOut);
    let [before, after] = [0, 0];
    for (const variant of variants) {
      if (variant === reference) continue;
      const { temperature } = await measureScale(variant, reference, shown);
      const apart = await apartOn(heldOut, variant, expected);
      t.comment(
        `${variant.name}: temperature ${temperature}, ${apart(1).toFixed(3)} → ${apart(temperature).toFixed(3)}`,
      );
      t.ok(apart(temperature) <= apart(1) * 1.01, `${variant.name} is no further off`);
      before += apart(1);
      after += apart(temperature);
    }
    const count = variants.length - 1;
    t.comment(`in the mean ${(before / count).toFixed(4)} → ${(after / count).toFixed(4)}`);
    t.ok(after <= before * (1 - nearer), `nearer by ${(100 * (1 - after / before)).toFixed(1)} %`);
  });
}
