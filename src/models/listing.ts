import { type Catalog, describeSource, type ModelDescription } from './catalog/catalog.js';
import { type InstalledModel, installedNames, readInstalled } from './install/installed.js';
import type { NumericForm } from './variant.js';

/** A line of `models list`. */
export interface ModelEntry extends ModelDescription {
  /** Null for a model of the user's own. */
  readonly source: string | null;
  /** Forms that are installed, with the bytes of their files; empty if none is. */
  readonly installed: Readonly<Partial<Record<NumericForm, number>>>;
  /** Why an installed model cannot be used. */
  readonly problem: Error | null;
  readonly isDefault: boolean;
}

/** What lies under a name: a model, or why it is none. */
export interface Examined {
  readonly name: string;
  readonly model: InstalledModel | null;
  readonly problem: Error | null;
}

/** Reads everything that is installed in a folder. */
export async function examine(dir: string): Promise<Examined[]> {
  const found: Examined[] = [];
  for (const name of await installedNames(dir)) {
    try {
      found.push({ name, model: await readInstalled(dir, name), problem: null });
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error));
      found.push({ name, model: null, problem });
    }
  }
  return found;
}

export function modelsOf(found: readonly Examined[]): InstalledModel[] {
  return found.flatMap(({ model }) => (model === null ? [] : [model]));
}

/** The part of an entry or a record that is its description. */
export function descriptionOf(of: ModelDescription): ModelDescription {
  const { name, family, task, alpha, sizes, licence, centralCrop, accuracy, multAdds } = of;
  const description = {
    name,
    family,
    task,
    alpha,
    sizes,
    licence,
    centralCrop,
    accuracy,
    multAdds,
  };
  return {
    ...description,
    ...(of.quality !== undefined && { quality: of.quality }),
    ...(of.ladder !== undefined && { ladder: of.ladder }),
  };
}

/** The catalogue in its order, then what is installed besides, by name. */
export function listEntries(catalog: Catalog, found: readonly Examined[]): ModelEntry[] {
  const defaults = Object.values(catalog.defaults);
  const stateOf = (name: string) => {
    const here = found.find((candidate) => candidate.name === name);
    const forms = Object.entries(here?.model?.forms ?? {});
    return {
      installed: Object.fromEntries(forms.map(([form, { bytes }]) => [form, bytes])),
      problem: here?.problem ?? null,
      isDefault: defaults.includes(name),
    };
  };
  const listed = catalog.models.map((entry) => ({
    ...descriptionOf(entry),
    source: describeSource(entry.source),
    ...stateOf(entry.name),
  }));
  const own = modelsOf(found)
    .filter(({ name }) => !catalog.models.some((entry) => entry.name === name))
    .map((model) => ({ ...descriptionOf(model), source: null, ...stateOf(model.name) }));
  return [...listed, ...own];
}
