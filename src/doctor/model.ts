import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { labelFault, unknownLabels } from '../config/check/labels.js';
import type { Config } from '../config/config.js';
import { knownLabelsOf } from '../daemon/options/label-rules.js';
import { taughtNames } from '../daemon/options/taught-names.js';
import { isCodedError, messageOf } from '../errors.js';
import { openShelf, type Shelf } from '../models/shelf.js';
import type { Variant } from '../models/variant.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput } from './surroundings.js';

const { ok, info, warn, fail } = findings('model');

/** Whether the configured model is installed, whole, and what its description says. */
export async function checkModel({ around, config }: CheckInput): Promise<Finding[]> {
  if (config === null) return [];
  const shelf = openShelf({ dir: config.models_dir, env: around.env });
  const { task, name, form } = config.model;
  const found = await configured(shelf, { task, name, form }, config);
  const damaged = (await shelf.list()).flatMap(({ name: model, problem }) =>
    problem === null
      ? []
      : [warn(model, problem.message, { next: `mobilenetd models pull ${model}` })],
  );
  return [...found, ...damaged];
}

async function configured(
  shelf: Shelf,
  request: Parameters<Shelf['resolve']>[0],
  config: Config,
): Promise<Finding[]> {
  let variant: Variant;
  try {
    variant = await shelf.resolve(request);
  } catch (error) {
    return [notResolved(error, request.name ?? 'auto')];
  }
  const rungs = await shelf.variants(request.task, request.form ?? 'auto');
  return [await whole(variant), ladder(rungs), ...(await labelsNobodyHas(config, variant))];
}

function notResolved(error: unknown, name: string): Finding {
  if (isCodedError(error) && error.code === 'MND_MODEL_MISSING') {
    const pull = name === 'auto' ? '' : ` ${name}`;
    return info(name, 'not installed', {
      means: 'the first start fetches and converts it, which takes a network and some minutes',
      next: `mobilenetd models pull${pull}`,
    });
  }
  return fail(name, messageOf(error), { next: 'mobilenetd models list shows what there is' });
}

async function whole({ name, file, sha256, labels }: Variant): Promise<Finding> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return fail(name, `${file}: ${messageOf(error)}`, {
      next: 'let the user of the service read it, or install the model again',
    });
  }
  const sum = createHash('sha256').update(bytes).digest('hex');
  if (sum !== sha256) {
    return fail(name, `${file} does not have the checksum it was installed with`, {
      means: 'the file was damaged or changed; the daemon refuses it',
      next: `mobilenetd models pull --force; when that helps for a while only, the SD card is failing`,
    });
  }
  const size = (bytes.length / 1e6).toFixed(1);
  return ok(name, `${size} MB, checksum right, ${labels.filter(Boolean).length} labels`);
}

/** Labels that the configuration names, and that neither the model has nor anybody taught. */
async function labelsNobodyHas(config: Config, variant: Variant): Promise<Finding[]> {
  const known = new Set([...knownLabelsOf(variant), ...(await taughtNames(config))]);
  return unknownLabels(config, known).map((unknown) =>
    warn(unknown.key, labelFault(unknown), {
      means: 'nothing will ever be seen of it',
      next: 'mobilenetd models labels lists the labels there are',
    }),
  );
}

function ladder(rungs: readonly Variant[]): Finding {
  const names = rungs.map(({ name }) => name);
  if (names.length > 1) return ok('variants', names.join(', '));
  return info('variants', `only ${names.join()}`, {
    means: 'with one variant the governor can only lower the frame rate when the board is hot',
    next: 'mobilenetd models list shows smaller ones',
  });
}
