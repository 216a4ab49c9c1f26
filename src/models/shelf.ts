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
/** See SourceEnvironment.pins. */
const PINS = '.first-use.json';

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
  return new FolderShelf(options);
}

class FolderShelf implements Shelf {
  readonly dir: string;
  readonly #options: ShelfOptions;
  readonly #downloads: string;
  readonly #log: ShelfLog;
  readonly #env: NodeJS.ProcessEnv;
  readonly #clock: Clock;
  #catalog: Promise<Catalog> | null = null;
  #recovered: Promise<void> | null = null;
  /** The last change that was asked for; never rejects. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ShelfOptions) {
    const { dir, log = SILENT_LOG, env = process.env, clock = systemClock } = options;
    this.dir = dir;
    this.#options = options;
    this.#downloads = join(dir, DOWNLOADS);
    this.#log = log;
    this.#env = env;
    this.#clock = clock;
  }

  catalog(): Promise<Catalog> {
    this.#catalog ??= readCatalog(this.#options.catalogFile);
    return this.#catalog;
  }

  async list(): Promise<ModelEntry[]> {
    return listEntries(await this.catalog(), await this.#look());
  }

  async installed(): Promise<InstalledModel[]> {
    const found = await this.#look();
    for (const { name, problem } of found) {
      if (problem !== null) this.#log.warn({ model: name }, problem.message);
    }
    return modelsOf(found);
  }

  async variants(task?: Task, form: 'auto' | NumericForm = 'auto'): Promise<Variant[]> {
    const models = await this.installed();
    return models
      .filter((model) => task === undefined || model.task === task)
      .filter((model) => form === 'auto' || model.forms[form] !== undefined)
      .flatMap((model) => variantsOf(model, pickForm(model, form, this.#options.preference)));
  }

  async resolve(request: VariantRequest): Promise<Variant> {
    const found = await this.#look();
    const broken = found.find(({ name }) => name === request.name)?.problem;
    if (broken) throw broken;
    const { preference } = this.#options;
    return resolveVariant(request, modelsOf(found), await this.catalog(), preference);
  }

  async ensure(request: VariantRequest, pull: PullOptions = {}): Promise<Variant> {
    try {
      return await this.resolve(request);
    } catch (error) {
      const name = modelToPull(request, await this.catalog());
      if (!isCodedError(error) || error.code !== 'MND_MODEL_MISSING' || name === null) throw error;
      const forms = request.form === 'auto' ? pull.forms : [request.form];
      await this.pull([name], { ...pull, forms });
      return this.resolve(request);
    }
  }

  async pull(names: readonly string[], pull?: PullOptions): Promise<PullResult[]> {
    const results: PullResult[] = [];
    for await (const result of this.pullEach(names, pull)) results.push(result);
    return results;
  }

  async *pullEach(names: readonly string[], pull: PullOptions = {}): AsyncGenerator<PullResult> {
    const entries = entriesOf(await this.catalog(), names);
    // Archives, downloads and the compiler take longer to load than a start with a model does.
    const { pullEntry } = await import('./acquire.js');
    for (const entry of entries) {
      const result = await this.#inTurn(async () => pullEntry(entry, pull, await this.#context()));
      if (result.fresh) this.#log.info({ model: entry.name }, 'model installed');
      yield result;
    }
  }

  add(file: string, add: AddOptions & PullOptions): Promise<InstalledModel> {
    return this.#inTurn(async () => {
      const { addOwn } = await import('./acquire.js');
      return addOwn(file, add, await this.#context());
    });
  }

  async *addLadder(
    folder: string,
    add: LadderOptions & PullOptions = {},
  ): AsyncGenerator<InstalledModel> {
    const { addRung, ladderRungs } = await import('./acquire.js');
    for (const rung of await ladderRungs(folder, add, await this.#context())) {
      const model = await this.#inTurn(async () => addRung(rung, add, await this.#context()));
      this.#log.info({ model: model.name }, 'model installed');
      yield model;
    }
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(() => this.#remove(name));
  }

  /** Runs after every change that was asked for before. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Clears up after a change that was broken off, once. */
  #ready(): Promise<void> {
    const now = () => this.#clock.wall();
    this.#recovered ??= recover(this.dir, now()).then(() => recoverParts(this.#downloads, now()));
    return this.#recovered;
  }

  async #look() {
    await this.#ready();
    return examine(this.dir);
  }

  async #context(): Promise<AcquireContext> {
    await this.#ready();
    const catalog = await this.catalog();
    const { mirror, cwd = process.cwd(), home, timeouts, onStep } = this.#options;
    const sources: SourceEnvironment = {
      mirror: (mirror === undefined ? this.#env.MOBILENETD_MODELS_MIRROR : mirror) || null,
      downloads: this.#downloads,
      pins: join(this.dir, PINS),
      catalogFolder: dirname(catalog.file),
      env: this.#env,
      cwd,
      home,
      log: this.#log,
      timeouts,
      clock: this.#clock,
    };
    return { dir: this.dir, catalog, sources, onStep };
  }

  async #remove(name: string): Promise<void> {
    await this.#ready();
    const names = await installedNames(this.dir);
    const rungs = modelsOf(await examine(this.dir)).filter(({ ladder }) => ladder === name);
    if (!names.includes(name) && rungs.length > 0) {
      for (const rung of rungs) await this.#remove(rung.name);
      return;
    }
    if (!names.includes(name)) {
      const entries = (await this.catalog()).models.map((entry) => entry.name);
      if (!entries.includes(name)) throw unknownModel(name, names);
      throw codedError('MND_MODEL_MISSING', { subject: name, next: 'there is nothing to remove' });
    }
    await retire(this.dir, name).catch((error: unknown) => {
      throw asDiskError(error, this.dir);
    });
    this.#log.info({ model: name }, 'model removed');
  }
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
