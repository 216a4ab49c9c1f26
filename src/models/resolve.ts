import { codedError } from '../errors.js';
import { nearestNames } from '../nearest.js';
import type { Catalog, ModelDescription } from './catalog/catalog.js';
import { type InstalledModel, variantName, variantsOf } from './install/installed.js';
import { NUMERIC_FORMS, type NumericForm, type Task, type Variant } from './variant.js';

export interface VariantRequest {
  readonly task: Task;
  /** `auto`, a model, or a variant. */
  readonly name: string;
  /** Width multiplier and input size (pixels) the variant must have; absent: any. */
  readonly alpha?: number;
  readonly size?: number;
  readonly form: 'auto' | NumericForm;
}

/** The form to run a model in where `auto` is asked for; null if this one has no preference. */
export type FormPreference = (model: InstalledModel) => NumericForm | null;

/**
 * Picks the variant a request means among what is installed.
 *
 * `auto` is the default detector if it is there, otherwise the best published accuracy; with α or a
 * size, the best of those that have it. A model's name alone means its native size.
 *
 * @throws MND_MODEL_UNKNOWN (with the nearest names), MND_MODEL_MISSING (with the command to run),
 *   MND_MODEL_MISMATCH (a model for the other task)
 */
export function resolveVariant(
  request: VariantRequest,
  installed: readonly InstalledModel[],
  catalog: Catalog,
  preference: FormPreference = () => null,
): Variant {
  const model = request.name === 'auto' ? pickModel(request, installed, catalog) : null;
  const chosen = model ?? namedModel(request, installed, catalog);
  if (chosen.task !== request.task) throw otherTask(chosen.name, chosen.task, request.task);
  const form = pickForm(chosen, request.form, preference);
  const variants = variantsOf(chosen, form);
  const byName = variants.find(({ name }) => name === request.name && name !== chosen.name);
  const variant = byName ?? variants.find(({ size }) => size === (request.size ?? chosen.sizes[0]));
  if (variant !== undefined && fits(chosen, variant.size, request)) return variant;
  throw codedError('MND_MODEL_UNKNOWN', {
    subject: request.name,
    expected: knobsOf(request),
    found: `${chosen.alpha === null ? 'no alpha' : `alpha ${chosen.alpha}`} and ${chosen.sizes.join(', ')} px`,
  });
}

function fits(
  model: ModelDescription,
  size: number,
  { alpha, size: wanted }: VariantRequest,
): boolean {
  return (
    (alpha === undefined || model.alpha === alpha) && (wanted === undefined || size === wanted)
  );
}

function knobsOf({ alpha, size }: VariantRequest): string {
  const parts = [
    ...(alpha === undefined ? [] : [`alpha ${alpha}`]),
    ...(size === undefined ? [] : [`${size} px`]),
  ];
  return parts.length === 0 ? 'any model' : parts.join(' and ');
}

/** The sizes, and where one was asked for the width multipliers, of models that could be meant. */
function knobsThereAre({ alpha }: VariantRequest, models: readonly ModelDescription[]): string {
  const sorted = (numbers: readonly number[]) => [...new Set(numbers)].sort((a, b) => a - b);
  const same = models.filter((model) => alpha === undefined || model.alpha === alpha);
  const sizes = sorted((same.length > 0 ? same : models).flatMap((model) => model.sizes));
  const alphas = sorted(models.flatMap((model) => model.alpha ?? []));
  const asked = alpha === undefined || alphas.length === 0 ? '' : `alpha ${alphas.join(', ')}; `;
  return `${asked}sizes ${sizes.join(', ')} px`;
}

function candidate(model: ModelDescription, request: VariantRequest): boolean {
  return model.task === request.task && model.sizes.some((size) => fits(model, size, request));
}

/** Best first; what was never measured comes last, and the catalogue's order decides ties. */
function byAccuracy(a: ModelDescription, b: ModelDescription): number {
  const quality = ({ accuracy }: ModelDescription) => accuracy.top1 ?? accuracy.map ?? -1;
  return quality(b) - quality(a);
}

function pickModel(
  request: VariantRequest,
  installed: readonly InstalledModel[],
  catalog: Catalog,
): InstalledModel {
  // A ladder's accuracy is of its own labels: it says nothing beside that of others.
  const alone = ({ ladder }: ModelDescription) => ladder === undefined;
  const all = installed.filter((model) => candidate(model, request));
  const candidates = all.some(alone) ? all.filter(alone) : all;
  const preferred = candidates.find(({ name }) => name === catalog.defaults.detect);
  const best = preferred ?? candidates.sort(byAccuracy)[0];
  if (best !== undefined) return best;

  const name = modelToPull(request, catalog);
  const what = `${request.task} with ${knobsOf(request)}`;
  if (name !== null) throw missing(what, name);
  const others = [...installed, ...catalog.models].filter(({ task }) => task === request.task);
  throw codedError('MND_MODEL_UNKNOWN', {
    subject: what,
    found: knobsThereAre(request, others),
    next: 'mobilenetd models list shows what there is',
  });
}

/** The catalogue's model that would serve a request; null if none would. */
export function modelToPull(request: VariantRequest, catalog: Catalog): string | null {
  if (request.name !== 'auto') {
    if (catalog.models.some(({ ladder }) => ladder === request.name)) return request.name;
    return catalog.models.find((entry) => namesOf(entry).includes(request.name))?.name ?? null;
  }
  const available = catalog.models
    .filter((entry) => entry.ladder === undefined && candidate(entry, request))
    .sort(byAccuracy);
  const usual = available.find(({ name }) => name === catalog.defaults[request.task]);
  return (usual ?? available[0])?.name ?? null;
}

function otherTask(subject: string, task: Task, wanted: Task): Error {
  return codedError('MND_MODEL_MISMATCH', {
    subject,
    expected: `a model that can ${wanted}`,
    found: `one that can ${task}`,
    next: `name a model that can ${wanted} (or, for model.name, write model.task: ${task})`,
  });
}

function missing(subject: string, name: string, options = ''): Error {
  return codedError('MND_MODEL_MISSING', {
    subject,
    next: `run: mobilenetd models pull ${name}${options}`,
  });
}

function namesOf(model: ModelDescription): string[] {
  return [model.name, ...model.sizes.map((size) => variantName(model, size))];
}

function namedModel(
  request: VariantRequest,
  installed: readonly InstalledModel[],
  catalog: Catalog,
): InstalledModel {
  const { name } = request;
  const model = installed.find((candidate) => namesOf(candidate).includes(name));
  if (model !== undefined) return model;
  const rungs = installed.filter(({ ladder }) => ladder === name);
  const [rung] = rungs.filter((other) => candidate(other, request)).sort(byAccuracy);
  if (rung !== undefined) return rung;
  const [other] = rungs;
  if (other !== undefined && other.task !== request.task) {
    throw otherTask(name, other.task, request.task);
  }
  const available = modelToPull(request, catalog);
  if (available !== null) {
    const entry = catalog.models.find((known) => [known.name, known.ladder].includes(available));
    // Nothing is fetched to be refused then.
    if (entry !== undefined && entry.task !== request.task) {
      throw otherTask(name, entry.task, request.task);
    }
    throw missing(name, available);
  }
  throw unknownModel(
    name,
    [...installed, ...catalog.models].flatMap((other) => [
      ...namesOf(other),
      ...(other.ladder === undefined ? [] : [other.ladder]),
    ]),
  );
}

/** MND_MODEL_UNKNOWN with the names that were perhaps meant. */
export function unknownModel(name: string, known: readonly string[]): Error {
  const near = nearestNames(name, [...new Set(known)]);
  return codedError('MND_MODEL_UNKNOWN', {
    subject: name,
    next:
      near.length === 0
        ? 'mobilenetd models list shows what there is'
        : `did you mean ${near.join(' or ')}?`,
  });
}

/**
 * The form of a model to run.
 *
 * @throws MND_MODEL_MISSING if the one that was asked for is not installed
 */
export function pickForm(
  model: InstalledModel,
  form: 'auto' | NumericForm,
  preference: FormPreference = () => null,
): NumericForm {
  if (form !== 'auto') {
    if (model.forms[form] !== undefined) return form;
    throw missing(`${model.name} (${form})`, model.name, ` --form ${form}`);
  }
  const preferred = preference(model);
  if (preferred !== null && model.forms[preferred] !== undefined) return preferred;
  const found = NUMERIC_FORMS.find((candidate) => model.forms[candidate] !== undefined);
  if (found === undefined) throw missing(model.name, model.name);
  return found;
}
