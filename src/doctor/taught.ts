import type { Config } from '../config/config.js';
import { taughtFault } from '../daemon/options/taught-faults.js';
import { cropBoundsOf, taughtRequest } from '../daemon/options/teach.js';
import { isCodedError, messageOf } from '../errors.js';
import { openShelf, type Shelf } from '../models/shelf.js';
import type { Variant } from '../models/variant.js';
import { keptHead } from '../taught/heads.js';
import { shippedNegatives } from '../taught/negatives.js';
import { CropShelf } from '../taught/shelf.js';
import { taskText } from '../taught/task.js';
import { type TaskCounts, tasksOf } from '../taught/tasks.js';
import { advice } from '../teach/advice.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput } from './surroundings.js';

const { ok, info, warn, fail } = findings('taught');

/** Share of the bounds from which on it is said that there is little room left. */
const NEARLY_FULL = 0.9;

/**
 * What was taught on this board: whether it can be told, by which network, and what to add.
 *
 * @param negatives embeddings of unrelated pictures by a variant
 */
export async function checkTaught(
  { around, config }: CheckInput,
  negatives: Board['negatives'] = shippedNegatives,
): Promise<Finding[]> {
  if (config === null) return [];
  const shelf = new CropShelf(config.state_dir, cropBoundsOf(config));
  let tasks: readonly TaskCounts[];
  try {
    tasks = tasksOf(await shelf.list());
  } catch (error) {
    return [
      fail('taught pictures', messageOf(error), {
        means: 'nothing that was taught is told after the next start',
        next: 'see whether the disk is failing (dmesg), or ask as the user of the service',
      }),
    ];
  }
  if (tasks.length === 0) return [];
  if (!config.teach.enabled) {
    return [
      info('taught labels', 'teach.enabled: false', {
        means: 'none of them is looked for',
        next: 'set teach.enabled: true',
      }),
    ];
  }
  const models = openShelf({ dir: config.models_dir, env: around.env });
  const found: Finding[] = [...room(tasks, config)];
  for (const task of tasks) {
    found.push(...(await ofTask(task, { config, models, shelf, negatives })));
  }
  return found;
}

function room(tasks: readonly TaskCounts[], config: Config): Finding[] {
  const crops = tasks.flatMap((task) => task.crops);
  const bytes = crops.reduce((sum, crop) => sum + crop.bytes, 0);
  const { maxCrops, maxBytes } = cropBoundsOf(config);
  if (crops.length < NEARLY_FULL * maxCrops && bytes < NEARLY_FULL * maxBytes) return [];
  return [
    warn('taught pictures', `${crops.length} of ${maxCrops}, ${megabytes(bytes, maxBytes)} MB`, {
      means: 'no more can be taught when it is full',
      next: 'mobilenetd teach --forget LABEL, or raise teach.max_crops or teach.max_size',
    }),
  ];
}

function megabytes(bytes: number, most: number): string {
  return `${Math.round(bytes / 1e6)} of ${Math.round(most / 1e6)}`;
}

/** What a task is held against. */
interface Board {
  readonly config: Config;
  readonly models: Shelf;
  readonly shelf: CropShelf;
  readonly negatives: (variant: Variant) => Promise<readonly Float32Array[]>;
}

async function ofTask(counts: TaskCounts, board: Board): Promise<Finding[]> {
  const { config, models } = board;
  const subject = `taught: ${taskText(counts.task)}`;
  if (counts.labels.length === 0) {
    return [
      warn(subject, 'pictures of the opposite alone', {
        means: 'there is no label to tell',
        next: 'mobilenetd teach LABEL --from FOLDER, or --camera NAME',
      }),
    ];
  }
  let variant: Variant;
  try {
    variant = await models.resolve(taughtRequest(config, counts.task));
  } catch (error) {
    return [withoutNetwork(subject, error)];
  }
  const untold = counts.labels.flatMap(({ label }) => {
    const why = taughtFault({ label, task: counts.task }, config, variant);
    return why === null ? [] : [notTold(label, why)];
  });
  return [...untold, ...(await worth(subject, counts, variant, board))];
}

function notTold(label: string, why: string): Finding {
  return warn(`taught: ${label}`, why, {
    means: 'it is never told',
    next: 'teach it under another name or place, and forget this one: mobilenetd teach --forget LABEL',
  });
}

function withoutNetwork(subject: string, error: unknown): Finding {
  const isMissing = isCodedError(error) && error.code === 'MND_MODEL_MISSING';
  return warn(subject, `its network is gone: ${messageOf(error)}`, {
    means: isMissing
      ? 'it is not looked for until the network is fetched, at the next start'
      : 'it is not looked for',
    next: 'mobilenetd models list shows what there is',
  });
}

async function worth(
  subject: string,
  counts: TaskCounts,
  variant: Variant,
  { shelf, negatives }: Board,
): Promise<Finding[]> {
  const found: Finding[] = [];
  const bank = await negatives(variant).catch((error: unknown) => messageOf(error));
  if (typeof bank === 'string') {
    return [
      fail(subject, `${variant.name}: ${bank}`, {
        means: 'it is not looked for',
        next: 'install mobilenetd again',
      }),
    ];
  }
  if (bank.length === 0) found.push(withoutBank(subject, counts, variant));
  const head = await keptHead(shelf, counts, bank, variant);
  const told = advice({
    counts: new Map(counts.labels.map(({ label, pictures }) => [label, pictures])),
    others: counts.others,
    ...(head && { report: head.report }),
  });
  for (const { code, text } of told) {
    if (code === 'good') continue;
    found.push(info(subject, withoutStop(text), { next: 'mobilenetd teach --report says more' }));
  }
  if (head === null) {
    found.push(
      info(subject, `not learnt yet for ${variant.name}`, {
        means: 'pictures or the network are new: the daemon learns it in the background',
      }),
    );
  }
  if (found.length > 0) return found;
  const names = counts.labels.map(({ label }) => label).join(', ');
  return [ok(subject, `${names}: told well enough by ${variant.name}`)];
}

/** Without a bank, thresholds are set by what was shown of the opposite alone. */
function withoutBank(subject: string, { others }: TaskCounts, { name }: Variant): Finding {
  if (others === 0) {
    return fail(subject, `${name} has no pictures of its own for "none of these"`, {
      means: 'it is not looked for: whatever is seen would be given the label',
      next: 'mobilenetd teach --not LABEL adds pictures of the opposite, 50 or more',
    });
  }
  return warn(
    subject,
    `${name} has no pictures of its own for "none of these": its threshold is set by the ${others} of the opposite that were shown`,
    {
      means: 'things of another kind may be given the label',
      next: 'add to the opposite whatever is given it wrongly (teach LABEL --not); 200 pictures or more are a good number',
    },
  );
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
