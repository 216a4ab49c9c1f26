import type { Config } from '../config/config.js';
import { isCodedError, messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { openShelf, type Shelf } from '../models/shelf.js';
import type { Variant } from '../models/variant.js';
import { type Clock, systemClock } from '../time.js';
import { fetchPatiently } from './fetch-patiently.js';

/** The second network of a configuration: installed, or to be fetched first. */
export interface SecondModel {
  /** As it was asked for. */
  readonly name: string;
  /** Resolves when it is installed; rejects when the signal is aborted. */
  ready(signal: AbortSignal, onTrouble: (why: string) => void): Promise<Variant>;
}

/**
 * The classifier of `model.second`; null: there is none. One of the catalogue that is not installed is
 * fetched later, while the detector works without it.
 *
 * @throws MND_MODEL_UNKNOWN, MND_MODEL_MISMATCH (a detector)
 */
export async function provideSecond(
  config: Config,
  env: NodeJS.ProcessEnv,
  clock: Clock = systemClock,
): Promise<SecondModel | null> {
  const { name } = config.model.second;
  if (name === null) return null;
  const shelf = openShelf({
    dir: config.models_dir,
    mirror: env.MOBILENETD_MODELS_MIRROR ?? null,
    env,
  });
  const found = await resolveSecond(shelf, name);
  return {
    name,
    async ready(signal, onTrouble) {
      if (found !== null) return found;
      return fetchPatiently(() => shelf.ensure(secondRequest(name), { signal }), {
        signal,
        mayPass: () => true,
        onTrouble: (error) => onTrouble(messageOf(error)),
        clock,
      });
    },
  };
}

/**
 * The classifier of that name; null: the catalogue has it, but it is not installed.
 *
 * @throws MND_MODEL_UNKNOWN, MND_MODEL_MISMATCH (a detector)
 */
export async function resolveSecond(shelf: Shelf, name: string): Promise<Variant | null> {
  try {
    return await shelf.resolve(secondRequest(name));
  } catch (error) {
    if (isCodedError(error) && error.code === 'MND_MODEL_MISSING') return null;
    throw error;
  }
}

/** What is asked of the shelf for the second network. */
export function secondRequest(name: string) {
  return { task: 'classify', name, form: 'auto' } as const;
}

/** What went wrong with it, for those who watch. */
export function warnOfSecond(log: Log, name: string, why: string): void {
  log.warn({ model: name }, `model.second ${name}: not there yet, objects go without it: ${why}`);
}
