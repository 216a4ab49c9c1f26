import { rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { thisProcessor } from '../inference/processor.js';
import { variantsOf } from '../models/install/installed.js';
import type { Shelf } from '../models/shelf.js';
import { NUMERIC_FORMS, type Variant, withoutBackground } from '../models/variant.js';
import { readSmallText } from '../small-file.js';
import { bestCost, type FormCost, referenceForm, type Wanted } from './costs.js';
import type { ScoreScale } from './scale.js';

const MAX_BYTES = 4 * 1024 * 1024;

/** What figures depend on: with anything of it changed they are of no use. */
export interface ProfileBoard {
  /** As the firmware names it; null on a machine that has no such name. */
  readonly model: string | null;
  readonly processor: string;
  readonly cores: number;
  readonly features: readonly string[];
  readonly onnxruntime: string;
}

/** What this board measured of one variant, in every installed form. */
export interface VariantProfile {
  /** ISO 8601. */
  readonly measured: string;
  /** SHA-256 of the file of each form. */
  readonly files: Readonly<Record<string, string>>;
  readonly costs: readonly FormCost[];
  /** Absent in a profile of an earlier version. */
  readonly scale?: ScoreScale;
}

export interface Profiles {
  readonly board: ProfileBoard;
  /** By the variant's name. */
  readonly variants: Readonly<Record<string, VariantProfile>>;
}

/** A variant in all its installed forms, the one nearest to the published numbers first. */
export type VariantForms = readonly [Variant, ...Variant[]];

interface ProfileFile extends Profiles {
  readonly schema: 2;
}

const PROFILE_FILE = 'profile.json';
const SCHEMA = 2;

/** What a profile is true for: this processor, runtime and board (by its device tree). */
export function thisBoard(model: string | null): ProfileBoard {
  const { model: processor, cores, features } = thisProcessor();
  const manifest = createRequire(import.meta.url)('onnxruntime-node/package.json');
  const { version } = manifest as { readonly version: string };
  return { model, processor, cores, features, onnxruntime: version };
}

/** The profiles of the state folder; none where there are none, or those of another board. */
export async function readProfiles(stateDir: string, board: ProfileBoard): Promise<Profiles> {
  try {
    const text = readSmallText(join(stateDir, PROFILE_FILE), MAX_BYTES);
    const found = JSON.parse(text) as Partial<ProfileFile> | null;
    if (found?.schema !== SCHEMA) return { board, variants: {} };
    if (JSON.stringify(found.board) !== JSON.stringify(board)) return { board, variants: {} };
    const entries = Object.entries(found.variants ?? {}).filter(([, entry]) => isProfile(entry));
    return { board, variants: Object.fromEntries(entries) };
  } catch {
    // None yet, or a damaged one: it is measured again.
    return { board, variants: {} };
  }
}

function isProfile(entry: Partial<VariantProfile> | null): boolean {
  const isTime = (value: unknown) => typeof value === 'number' && value > 0;
  return (
    typeof entry?.files === 'object' &&
    Array.isArray(entry.costs) &&
    (entry.costs as Partial<FormCost>[]).every(
      (cost) =>
        isTime(cost?.medianMs) &&
        isTime(cost.minMs) &&
        isTime(cost.quietMs) &&
        isTime(cost.threads) &&
        typeof cost.agreement?.agrees === 'boolean',
    )
  );
}

/** Writes whole or not at all. @throws what the disk says */
export async function writeProfiles(stateDir: string, profiles: Profiles): Promise<void> {
  const file = join(stateDir, PROFILE_FILE);
  const content: ProfileFile = { schema: SCHEMA, ...profiles };
  await writeFile(`${file}.new`, `${JSON.stringify(content, null, 1)}\n`);
  await rename(`${file}.new`, file);
}

/** Every installed variant of a task in all its forms. */
export async function formsOf(shelf: Shelf, task?: Variant['task']): Promise<VariantForms[]> {
  const byName = new Map<string, VariantForms>();
  // Reading what is installed takes longer than all else here: once is enough.
  const models = (await shelf.installed()).filter(
    (model) => task === undefined || model.task === task,
  );
  for (const form of NUMERIC_FORMS) {
    for (const variant of models.flatMap((model) => variantsOf(model, form))) {
      byName.set(variant.name, [...(byName.get(variant.name) ?? []), variant] as VariantForms);
    }
  }
  return [...byName.values()];
}

/** The profile of a variant; null if it has none of just these files. */
export function profileOf(profiles: Profiles, forms: VariantForms): VariantProfile | null {
  const found = profiles.variants[forms[0].name];
  if (found === undefined) return null;
  const files = filesOf(forms);
  const known = Object.keys(files).length === Object.keys(found.files).length;
  return known && forms.every(({ form }) => found.files[form] === files[form]) ? found : null;
}

/** Checksums of a variant's installed files, by numeric form. */
export function filesOf(forms: VariantForms): Record<string, string> {
  return Object.fromEntries(forms.map(({ form, sha256 }) => [form, sha256]));
}

/** The form in which a variant is held against others. */
export function comparedForm(forms: VariantForms): Variant {
  const form = referenceForm(forms.map((variant) => variant.form));
  return forms.find((variant) => variant.form === form) ?? forms[0];
}

/** The variant whose scores are the scale of another's: the largest with the same task and labels. */
export function referenceFor(
  forms: VariantForms,
  installed: readonly VariantForms[],
): VariantForms {
  const [variant] = forms;
  return installed
    .filter(([other]) => other.task === variant.task && haveSameLabels(other, variant))
    .reduce((largest, other) => (isLarger(other[0], largest[0]) ? other : largest), forms);
}

/** By the work of an inference; the order is one and the same whatever it begins with. */
export function isLarger(one: Variant, other: Variant): boolean {
  const work = (one.multAdds ?? 0) - (other.multAdds ?? 0);
  const size = one.size - other.size;
  if (work !== 0 || size !== 0) return work > 0 || (work === 0 && size > 0);
  return one.name < other.name;
}

/**
 * Whether one may stand in for the other: a governor that moves between them changes no label. Some networks
 * count the background as their first class, others do not have it.
 */
export function haveSameLabels(one: Variant, other: Variant): boolean {
  if (one.labels === other.labels) return true;
  const [own, others] = [withoutBackground(one.labels), withoutBackground(other.labels)];
  return own.length === others.length && own.every((label, index) => label === others[index]);
}

/** How a variant's scores come onto the scale of the reference; null: that was not measured. */
export function scaleOf(
  profiles: Profiles,
  forms: VariantForms,
  reference: VariantForms,
): ScoreScale | null {
  const scale = profileOf(profiles, forms)?.scale;
  if (scale === undefined || !(scale.temperature > 0)) return null;
  const { name, sha256 } = comparedForm(reference);
  return scale.reference === name && scale.file === sha256 ? scale : null;
}

export interface Chosen {
  readonly variant: Variant;
  /** Null where nothing was measured. */
  readonly cost: FormCost | null;
}

/** A variant in the form and with the threads that are fastest on this board. */
export function chooseVariant(
  variant: Variant,
  forms: VariantForms,
  profiles: Profiles,
  wanted: Wanted,
): Chosen {
  const cost = bestCost(profileOf(profiles, forms)?.costs ?? [], wanted);
  const chosen = forms.find(({ form }) => form === cost?.form);
  if (cost === null || chosen === undefined) return { variant, cost: null };
  return { variant: { ...chosen, threads: cost.threads }, cost };
}
