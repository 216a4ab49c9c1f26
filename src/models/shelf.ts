import { dirname, join } from 'node:path';
import { codedError, isCodedError } from '../errors.js';
import { type Clock, systemClock } from '../time.js';
import type { AcquireContext, PullOptions, PullResult } from './acquire.js';
import { type Catalog, type CatalogEntry, readCatalog } from './catalog/catalog.js';
import { asDiskError } from './fetch/disk.js';
import type { HttpTimeouts } from './fetch/http.js';
import { recoverParts } from './fetch/part-file.js';
import type { SourceEnvironment } from './fetch/sources.js';
import type { AddOptions } from './install/add.js';
import type { InstallStep } from './install/install.js';
import { type InstalledModel, installedNames, variantsOf } from './install/installed.js';
import type { LadderOptions } from './install/ladder.js';
import { recover, retire } from './install/staging.js';
import { examine, listEntries, type ModelEntry, modelsOf } from './listing.js';
import { type ShelfLog, SILENT_LOG } from './progress.js';
import {
  type FormPreference,
  modelToPull,
  pickForm,
  resolveVariant,
  unknownModel,
  type VariantRequest,
} from './resolve.js';
import type { NumericForm, Task, Variant } from './variant.js';

export type { PullOptions, PullResult } from './acquire.js';
export type { AddOptions } from './install/add.js';
export type { CalibrationCost } from './install/calibrate.js';
export type { InstalledModel } from './install/installed.js';
export type { LadderOptions } from './install/ladder.js';
export type { ModelEntry } from './listing.js';
export type { InstallProgress, OnProgress, ShelfLog } from './progress.js';
export type { FormPreference, VariantRequest } from './resolve.js';

const DOWNLOADS = '.downloads';

export interface ShelfOptions {
  /** Folder of the installed models; made when something is installed. */
  readonly dir: string;
  /** Absent: the one that is shipped. */
  readonly catalogFile?: string;
  /** Folder searched before any download; absent: what MOBILENETD_MODELS_MIRROR names. */
  readonly mirror?: string | null;
  readonly env?: NodeJS.ProcessEnv;
  /** Folder whose .npmrc counts as the project's. */
  readonly cwd?: string;
  /** Folder of the user's .npmrc; absent: the home folder. */
  readonly home?: string;
  readonly log?: ShelfLog;
  /** Form of a model where `auto` is asked for, by what this board measured. */
  readonly preference?: FormPreference;
  readonly timeouts?: HttpTimeouts;
  readonly clock?: Clock;
  /** Called between the steps of an installation; tests break it there. */
  readonly onStep?: (step: InstallStep) => void | Promise<void>;
}

/** The models of this machine. Reading never changes them; changes are made one after the other. */
export interface Shelf {
  readonly dir: string;
  catalog(): Promise<Catalog>;
  /** The catalogue and the user's own models, with what is installed. */
  list(): Promise<ModelEntry[]>;
  /** Installed models that are whole; the others are logged. */
  installed(): Promise<InstalledModel[]>;
  /** Every rung that is installed, each in one form. A model without the form is left out. */
  variants(task?: Task, form?: 'auto' | NumericForm): Promise<Variant[]>;
  /** See resolveVariant. @throws MND_MODEL_UNKNOWN, MND_MODEL_MISSING, MND_MODEL_MISMATCH */
  resolve(request: VariantRequest): Promise<Variant>;
  /** The same, but a model of the catalogue that is not installed is pulled first. */
  ensure(request: VariantRequest, options?: PullOptions): Promise<Variant>;
  /**
   * Installs models of the catalogue, one after the other; without names the default detector.
   *
   * @throws MND_MODEL_UNKNOWN before anything is fetched; what fetchModel and installModel throw
   */
  pull(names: readonly string[], options?: PullOptions): Promise<PullResult[]>;
  /** The same, handing over each model as it is done. */
  pullEach(names: readonly string[], options?: PullOptions): AsyncIterable<PullResult>;
  /** Installs a model of the user's own. @throws what ownFiles, readLabels and installModel throw */
  add(file: string, options: AddOptions & PullOptions): Promise<InstalledModel>;
  /**
   * Installs every rung of a ladder that `training/train.py` made, handing over each as it is done.
   *
   * @throws what readLadder, readLabels and installModel throw
   */
  addLadder(folder: string, options?: LadderOptions & PullOptions): AsyncIterable<InstalledModel>;
  /** @throws MND_MODEL_MISSING, MND_MODEL_UNKNOWN */
  remove(name: string): Promise<void>;
}

/** Opens the folder of the models. It need not exist, and nothing is read before it is asked for. */
export function openShelf(options: ShelfOptions): Shelf {
  const { dir, log = SILENT_LOG, env = process.env, preference, clock = systemClock } = options;
  const downloads = join(dir, DOWNLOADS);
  let loadedCatalog: Promise<Catalog> | null = null;
  let recovered: Promise<void> | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  const catalog = () => {
    loadedCatalog ??= readCatalog(options.catalogFile);
    return loadedCatalog;
  };

  const ready = () => {
    recovered ??= recover(dir, clock.wall()).then(() => recoverParts(downloads, clock.wall()));
    return recovered;
  };

  /** Runs after every change that was asked for before. */
  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  }

  const look = () => ready().then(() => examine(dir));

  async function installed(): Promise<InstalledModel[]> {
    const found = await look();
    for (const { name, problem } of found) {
      if (problem !== null) log.warn({ model: name }, problem.message);
    }
    return modelsOf(found);
  }

  async function context(): Promise<AcquireContext> {
    await ready();
    const shipped = await catalog();
    const mirror = options.mirror === undefined ? env.MOBILENETD_MODELS_MIRROR : options.mirror;
    const sources: SourceEnvironment = {
      mirror: mirror || null,
      downloads,
      catalogFolder: dirname(shipped.file),
      env,
      cwd: options.cwd ?? process.cwd(),
      home: options.home,
      log,
      timeouts: options.timeouts,
      clock,
    };
    return { dir, catalog: shipped, sources, onStep: options.onStep };
  }

  async function* pullEach(
    names: readonly string[],
    pull: PullOptions = {},
  ): AsyncGenerator<PullResult> {
    const entries = entriesOf(await catalog(), names);
    // Archives, downloads and the compiler take longer to load than a start with a model does.
    const { pullEntry } = await import('./acquire.js');
    for (const entry of entries) {
      const result = await exclusive(async () => pullEntry(entry, pull, await context()));
      if (result.fresh) log.info({ model: entry.name }, 'model installed');
      yield result;
    }
  }

  async function pullAll(names: readonly string[], pull?: PullOptions): Promise<PullResult[]> {
    const results: PullResult[] = [];
    for await (const result of pullEach(names, pull)) results.push(result);
    return results;
  }

  async function* addLadder(
    folder: string,
    add: LadderOptions & PullOptions = {},
  ): AsyncGenerator<InstalledModel> {
    const { addRung, ladderRungs } = await import('./acquire.js');
    for (const rung of await ladderRungs(folder, add, await context())) {
      const model = await exclusive(async () => addRung(rung, add, await context()));
      log.info({ model: model.name }, 'model installed');
      yield model;
    }
  }

  async function removeModel(name: string): Promise<void> {
    await ready();
    const names = await installedNames(dir);
    const rungs = modelsOf(await examine(dir)).filter(({ ladder }) => ladder === name);
    if (!names.includes(name) && rungs.length > 0) {
      for (const rung of rungs) await removeModel(rung.name);
      return;
    }
    if (!names.includes(name)) {
      const entries = (await catalog()).models.map((entry) => entry.name);
      if (!entries.includes(name)) throw unknownModel(name, names);
      throw codedError('MND_MODEL_MISSING', { subject: name, next: 'there is nothing to remove' });
    }
    await retire(dir, name).catch((error: unknown) => {
      throw asDiskError(error, dir);
    });
    log.info({ model: name }, 'model removed');
  }

  async function resolve(request: VariantRequest): Promise<Variant> {
    const found = await look();
    const broken = found.find(({ name }) => name === request.name)?.problem;
    if (broken) throw broken;
    return resolveVariant(request, modelsOf(found), await catalog(), preference);
  }

  return {
    dir,
    catalog,
    installed,
    list: async () => listEntries(await catalog(), await look()),
    async variants(task, form = 'auto') {
      const models = await installed();
      return models
        .filter((model) => task === undefined || model.task === task)
        .filter((model) => form === 'auto' || model.forms[form] !== undefined)
        .flatMap((model) => variantsOf(model, pickForm(model, form, preference)));
    },
    resolve,
    async ensure(request, pull = {}) {
      try {
        return await resolve(request);
      } catch (error) {
        const name = modelToPull(request, await catalog());
        if (!isCodedError(error) || error.code !== 'MND_MODEL_MISSING' || name === null)
          throw error;
        const forms = request.form === 'auto' ? pull.forms : [request.form];
        await pullAll([name], { ...pull, forms });
        return resolve(request);
      }
    },
    pull: pullAll,
    pullEach,
    add: (file, add) =>
      exclusive(async () => {
        const { addOwn } = await import('./acquire.js');
        return addOwn(file, add, await context());
      }),
    addLadder,
    remove: (name) => exclusive(() => removeModel(name)),
  };
}

/** The catalogue's entries of these names; that of a ladder stands for all of its rungs. */
function entriesOf(catalog: Catalog, names: readonly string[]): CatalogEntry[] {
  const { ladders = {} } = catalog;
  const members = (name: string) => (Object.hasOwn(ladders, name) ? (ladders[name] ?? []) : [name]);
  const wanted = names.length === 0 ? [catalog.defaults.detect] : names.flatMap(members);
  return [...new Set(wanted)].flatMap((name) => {
    const entries = catalog.models.filter((entry) => [entry.name, entry.ladder].includes(name));
    if (entries.length > 0) return entries;
    throw unknownModel(name, [
      ...Object.keys(ladders),
      ...catalog.models.flatMap((entry) => [entry.name, entry.ladder ?? entry.name]),
    ]);
  });
}
