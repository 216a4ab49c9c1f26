import type { Frame } from '../camera/source.js';
import type { Result } from '../inference/result.js';
import type { InstalledModel } from '../models/shelf.js';
import type { NumericForm, Variant } from '../models/variant.js';
import { roundScore } from '../mqtt/publish/payloads.js';
import type { CommandContext } from './command.js';
import { writeJsonLine, writeLine } from './output.js';
import { formatTable } from './table.js';

/** A picture that a model is tried on. */
export interface TrialPicture {
  readonly name: string;
  readonly frame: Frame;
}

/** Of the shipped pictures: the photo, a part of it, and a moment of the drawn scene. */
const SHIPPED = [
  { name: 'photo of a cup', index: 0 },
  { name: 'a part of it', index: 2 },
  { name: 'drawn scene', index: 8 },
] as const;

/** Objects of a picture that are named. */
const MOST_OBJECTS = 3;
const THRESHOLD = 0.3;

/** Milliseconds of one inference above which a form is called slow. */
const SLOW_MS = 200;

/**
 * The pictures of a trial: three that are shipped, and those of a folder if one is given.
 *
 * @throws MND_INPUT_MISSING
 */
export async function trialPictures(folder: string | undefined): Promise<TrialPicture[]> {
  const { picturesOf, shippedPictures } = await import('../profile/pictures.js');
  const shipped = await shippedPictures();
  const pictures = SHIPPED.flatMap(({ name, index }) => {
    const frame = shipped[index];
    return frame === undefined ? [] : [{ name, frame }];
  });
  if (folder === undefined) return pictures;
  const own = await picturesOf(folder);
  const named = own.map((frame, index) => ({ name: `${folder}, ${index + 1}`, frame }));
  return [...pictures, ...named];
}

interface Trial {
  readonly picture: string;
  readonly form: NumericForm;
  readonly ms: number;
  readonly labels: readonly { readonly label: string; readonly score: number }[];
}

/**
 * Runs a model on pictures, in the form that is used and in float32 where that is installed beside it:
 * the original's own arithmetic. Who sees the answers sees whether the model makes sense.
 */
export async function tryModel(
  model: InstalledModel,
  pictures: readonly TrialPicture[],
  threads: number,
): Promise<readonly Trial[]> {
  const { startEngine } = await import('../inference/engine.js');
  const { variantsOf } = await import('../models/install/installed.js');
  const engine = await startEngine({ threads });
  const trials: Trial[] = [];
  try {
    for (const form of formsOf(model)) {
      const [variant] = variantsOf(model, form);
      if (variant === undefined) continue;
      await engine.load(variant);
      for (const { name, frame } of pictures) {
        const run = { topK: MOST_OBJECTS, threshold: THRESHOLD };
        trials.push(trialOf(name, variant, await engine.run(variant.name, frame, run)));
      }
    }
  } finally {
    await engine.close();
  }
  return trials;
}

function formsOf({ forms }: InstalledModel): NumericForm[] {
  const present = Object.keys(forms) as NumericForm[];
  const [first] = present;
  const wanted = first === undefined || first === 'float32' ? [first] : [first, 'float32'];
  return wanted.filter(
    (form): form is NumericForm => form !== undefined && forms[form as NumericForm] !== undefined,
  );
}

function trialOf(picture: string, { form }: Variant, { labels, timings }: Result): Trial {
  const best = labels.slice(0, MOST_OBJECTS).map(({ label, score }) => ({ label, score }));
  return { picture, form, ms: timings.inference, labels: best };
}

/** Prints what a model said, and whether a form is slow here. */
export function printTrials(
  trials: readonly Trial[],
  json: boolean,
  { stdout, stderr }: CommandContext,
): void {
  for (const form of new Set(trials.map((trial) => trial.form))) {
    const times = trials.filter((trial) => trial.form === form).map(({ ms }) => ms);
    const ms = Math.min(...times);
    if (ms > SLOW_MS) {
      writeLine(stderr, `${form} takes ${Math.round(ms)} ms for a picture on this machine`);
    }
  }
  if (json) {
    for (const { picture, form, ms, labels } of trials) {
      const rounded = labels.map(({ label, score }) => ({ label, score: roundScore(score) }));
      writeJsonLine(stdout, { picture, form, ms: Math.round(ms * 100) / 100, labels: rounded });
    }
    return;
  }
  const forms = [...new Set(trials.map(({ form }) => form))];
  const pictures = [...new Set(trials.map(({ picture }) => picture))];
  const rows = pictures.map((picture) => [
    picture,
    ...forms.map((form) => {
      const trial = trials.find((each) => each.picture === picture && each.form === form);
      return (trial?.labels ?? []).map(labelText).join(', ') || 'nothing';
    }),
  ]);
  writeLine(stdout, formatTable(['it says of', ...forms], rows));
}

function labelText({ label, score }: Trial['labels'][number]): string {
  return `${label || '(unused)'} ${score.toFixed(2)}`;
}
