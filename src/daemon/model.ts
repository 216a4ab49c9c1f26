import type { Config } from '../config/config.js';
import { isCodedError, messageOf } from '../errors.js';
import type { InstallProgress } from '../models/progress.js';
import type { VariantRequest } from '../models/resolve.js';
import { openShelf, type Shelf } from '../models/shelf.js';
import type { Variant } from '../models/variant.js';
import { readBoardModel } from '../platform.js';
import {
  chooseVariant,
  formsOf,
  haveSameLabels,
  isLarger,
  type ProfileBoard,
  type Profiles,
  readProfiles,
  referenceFor,
  scaleOf,
  thisBoard,
  type VariantForms,
} from '../profile/profiles.js';
import { type MeasuredWay, waysToRun } from '../profile/ways.js';
import type { Log } from './diagnostics/log.js';
import { fetchPatiently } from './fetch-patiently.js';

export interface ModelOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** What happens while a model is fetched and converted, for people. */
  readonly onProgress?: (text: string) => void;
  /** A download that fails is tried again, for ever. */
  readonly isPatient?: boolean;
}

/** The rungs the governor may choose from, each in the form and with the threads to run it. */
export interface Ladder {
  /** All installed variants of the task, or those of the configured model. */
  readonly variants: readonly Variant[];
  /** Least milliseconds of one inference, by the name of the variant, where this board measured it. */
  readonly measuredMs: ReadonlyMap<string, number>;
  /** The ways to run a variant by its name, the fastest first, where this board measured several. */
  readonly ways: ReadonlyMap<string, readonly MeasuredWay[]>;
  /**
   * The variant on whose scale the others' scores are, by their temperatures; null until that is measured,
   * and for a ladder of one.
   */
  readonly scaleOf: string | null;
}

/** What the daemon runs, and what it may run instead. */
export interface ProvidedModel extends Ladder {
  readonly variant: Variant;
  /** The variants in all their forms, the one that runs first. */
  readonly forms: readonly VariantForms[];
  readonly board: ProfileBoard;
  /** The installed variant whose scores are the scale of another's. */
  readonly referenceOf: (forms: VariantForms) => VariantForms;
  /** The ladder by what has been measured since it was provided. */
  ladder: Ladder;
  choose(profiles: Profiles): Ladder;
}

/**
 * The configured variant; a model of the catalogue that is not installed is fetched first.
 *
 * @throws MND_MODEL_UNKNOWN, MND_DOWNLOAD_FAILED and what else pulling throws
 */
export async function provideModel(options: ModelOptions): Promise<ProvidedModel> {
  const { config, env, log } = options;
  const { task, name, form } = config.model;
  const shelf = openShelf({
    dir: config.models_dir,
    mirror: env.MOBILENETD_MODELS_MIRROR ?? null,
    env,
  });
  const request = { task, name, form };
  const installed = await shelf.resolve(request).catch((error: unknown) => {
    if (isCodedError(error) && error.code === 'MND_MODEL_MISSING') return null;
    throw error;
  });
  if (installed === null) {
    log.info('no model is installed: fetching and converting it, as `mobilenetd models pull` does');
    options.onProgress?.('fetching and converting the model …');
  }
  const variant = installed ?? (await fetchVariant(shelf, request, options));
  const all = await shelf.variants(task, form);
  const named = ({ name: own, model, ladder }: Variant) => [own, model, ladder].includes(name);
  const chosen = all.filter((other) =>
    name === 'auto' ? haveSameLabels(other, variant) : named(other),
  );
  const variants = chosen.length === 0 ? [variant] : chosen;
  const everything = await formsOf(shelf, task);
  const forms = formsOfThese(everything, variants, variant);
  const references = new Map(forms.map((own) => [own[0].name, referenceFor(own, everything)]));
  const referenceOf = (own: VariantForms) => references.get(own[0].name) ?? own;
  const board = thisBoard(readBoardModel(config.governor.proc_root));
  const choose = (profiles: Profiles) =>
    onOneScale(chooseLadder(variants, forms, profiles, config), forms, profiles, referenceOf);
  const ladder = choose(await readProfiles(config.state_dir, board));
  const running = ladder.variants.find((other) => other.name === variant.name);
  return { ...ladder, ladder, variant: running ?? variant, forms, board, referenceOf, choose };
}

/** Fetches the model, telling how far it is; a patient one tries again where the network fails. */
async function fetchVariant(
  shelf: Shelf,
  request: VariantRequest,
  { signal, onProgress, log, isPatient = false }: ModelOptions,
): Promise<Variant> {
  let last = '';
  const tell = (progress: InstallProgress) => {
    const text = progressText(progress);
    if (text === last) return;
    last = text;
    log.info(text);
    onProgress?.(text);
  };
  return fetchPatiently(() => shelf.ensure(request, { signal, onProgress: tell }), {
    signal,
    mayPass: (error) => isPatient && isCodedError(error) && error.code === 'MND_DOWNLOAD_FAILED',
    onTrouble(error, waitMs) {
      const again = `no model yet, next try in ${Math.ceil(waitMs / 1000)} s`;
      log.warn({ err: error }, `${again}: ${messageOf(error)}; ${OFFLINE}`);
      onProgress?.(`${again}: ${messageOf(error)}`);
    },
  });
}

const OFFLINE =
  'without a network, copy the folder models of the state folder of another board, or take the ladder in the package (model: { task: classify, name: mobilenetd_things })';
const STAGES = { unpack: 'unpacking', convert: 'converting', verify: 'trying' } as const;
/** The journal has a line for each of so many steps of a download. */
const STEPS = 5;

function progressText({ model, stage, received = 0, total }: InstallProgress): string {
  if (stage !== 'download') return `${STAGES[stage]} the model ${model} …`;
  if (total === null || total === undefined || total === 0) return `fetching the model ${model} …`;
  const share = Math.floor((received / total) * STEPS) / STEPS;
  return `fetching the model ${model}: ${Math.round(share * 100)} % of ${(total / 1e6).toFixed(0)} MB …`;
}

function formsOfThese(
  everything: readonly VariantForms[],
  variants: readonly Variant[],
  first: Variant,
): VariantForms[] {
  const names = new Set(variants.map(({ name }) => name));
  const forms = everything.filter(([{ name }]) => names.has(name));
  const isFirst = ([{ name }]: VariantForms) => Number(name === first.name);
  return forms.sort((a, b) => isFirst(b) - isFirst(a));
}

/**
 * The ladder with the temperatures that bring all scores onto the scale of its largest variant. Each was
 * measured against the largest that is installed, so their ratio counts; a variant that runs alone
 * keeps its own scores.
 */
function onOneScale(
  ladder: Ladder,
  forms: readonly VariantForms[],
  profiles: Profiles,
  referenceOf: ProvidedModel['referenceOf'],
): Ladder {
  const [first] = ladder.variants;
  if (first === undefined || ladder.variants.length < 2) return ladder;
  const temperatureOf = ({ name }: Variant): number | null => {
    const own = forms.find(([variant]) => variant.name === name);
    return own === undefined
      ? null
      : (scaleOf(profiles, own, referenceOf(own))?.temperature ?? null);
  };
  const largest = ladder.variants.reduce((a, b) => (isLarger(b, a) ? b : a), first);
  const unit = temperatureOf(largest);
  if (unit === null) return ladder;
  const scaled = (variant: Variant): Variant => {
    const own = temperatureOf(variant);
    return own === null ? variant : { ...variant, temperature: own / unit };
  };
  const ways = [...ladder.ways].map(([name, all]): [string, MeasuredWay[]] => [
    name,
    all.map((way) => ({ ...way, variant: scaled(way.variant) })),
  ]);
  const variants = ladder.variants.map(scaled);
  return { ...ladder, variants, ways: new Map(ways), scaleOf: largest.name };
}

function chooseLadder(
  variants: readonly Variant[],
  forms: readonly VariantForms[],
  profiles: Profiles,
  { model }: Config,
): Ladder {
  const measuredMs = new Map<string, number>();
  const ways = new Map<string, readonly MeasuredWay[]>();
  const chosen = variants.map((variant) => {
    const own = forms.find(([{ name }]) => name === variant.name) ?? [variant];
    const { variant: best, cost } = chooseVariant(variant, own, profiles, model);
    if (cost !== null) measuredMs.set(variant.name, cost.minMs);
    const all = waysToRun(own, profiles, model);
    if (all.length > 1) ways.set(variant.name, all);
    return best;
  });
  return { variants: chosen, measuredMs, ways, scaleOf: null };
}
