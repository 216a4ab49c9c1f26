import type { Config } from '../../config/config.js';
import { codedError } from '../../errors.js';
import type { Variant } from '../../models/variant.js';
import { FIXED_SECOND, topicSafe } from '../../mqtt/topics.js';
import type { TaughtTask } from '../../taught/task.js';
import { knownLabelsOf } from './label-rules.js';
import { isOfCamera, type TaughtLabel } from './taught-labels.js';

/** What is to be taught; a label of null stands for the opposite, which needs a place but no name. */
export interface ToTeach {
  readonly label: string | null;
  readonly task: TaughtTask;
}

/** What can be told here. */
export interface TellableBy {
  readonly config: Config;
  /** The network of the frames. */
  readonly variant: Variant;
  /** All that was taught before. */
  readonly taught: readonly TaughtLabel[];
}

/** Why a taught label cannot be one of a camera; null: it can. */
export function taughtFault(
  { label, task }: TaughtLabel,
  config: Config,
  variant: Variant,
): string | null {
  return placeFault(task, config, variant) ?? nameFault({ label, task }, config, variant);
}

/**
 * Why a label cannot be told beside the others, whose topic it shares; null: it can. Labels that no camera has
 * both of share none, nor do those of objects, which are sub labels.
 *
 * @param isOwner of two that share a topic, whether the other one has it
 */
export function twinFault(
  { label, task }: TaughtLabel,
  others: readonly TaughtLabel[],
  isOwner: (other: TaughtLabel) => boolean = () => true,
): string | null {
  if (task.of !== null) return null;
  const topic = topicSafe(label);
  const twin = others.find(
    (other) =>
      other.label !== label &&
      other.task.of === null &&
      areMet(other.task, task) &&
      topicSafe(other.label) === topic &&
      isOwner(other),
  );
  return twin === undefined ? null : `its topic is that of ${JSON.stringify(twin.label)}`;
}

/**
 * Before a picture is taken: what would be taught in vain is refused.
 *
 * @throws MND_TEACH_INVALID
 */
export function requireTellable(
  { label, task }: ToTeach,
  { config, variant, taught }: TellableBy,
): void {
  const place = placeFault(task, config, variant);
  if (place !== null) throw untellable(label, place, PLACE_NEXT);
  if (label === null) return;
  const asked = { label, task };
  const name = nameFault(asked, config, variant) ?? twinFault(asked, taught);
  if (name !== null) throw untellable(label, name, 'give it another name');
}

const PLACE_NEXT = 'mobilenetd teach --help says what --camera, --zone and --of take';

function untellable(label: string | null, found: string, next: string): Error {
  return codedError('MND_TEACH_INVALID', {
    subject: label === null ? 'the opposite' : JSON.stringify(label),
    expected: 'what can be told here',
    found,
    next,
  });
}

/** Why nothing can be told of a place, or of such objects. */
function placeFault(
  { camera, zone, of }: TaughtTask,
  config: Config,
  variant: Variant,
): string | null {
  if (camera !== null && config.cameras[camera] === undefined)
    return `there is no camera ${camera}`;
  const zones = camera === null ? {} : (config.cameras[camera]?.zones ?? {});
  if (zone !== null && !Object.hasOwn(zones, zone)) return `camera ${camera} has no zone ${zone}`;
  if (of === null) return null;
  if (variant.task !== 'detect') {
    return `${variant.name} names whole pictures and finds no objects (model.task: detect does)`;
  }
  const known = knownLabelsOf(variant);
  return of.some((label) => known.has(label)) ? null : `${variant.name} finds no ${of.join(', ')}`;
}

/** Why a label cannot have its topic. Of objects it is a sub label, which has none. */
function nameFault({ label, task }: TaughtLabel, config: Config, variant: Variant): string | null {
  if (task.of !== null) return null;
  const topic = topicSafe(label);
  const isTaken = (other: string) => topicSafe(other) === topic;
  if ([...knownLabelsOf(variant)].some(isTaken)) return `${variant.name} has a label of that name`;
  if (Object.keys(config.presence.groups).some(isTaken)) return 'a group of presence has that name';
  if (FIXED_SECOND.includes(topic)) return `its topic, ${topic}, has another meaning`;
  for (const [name, { zones }] of Object.entries(config.cameras)) {
    const zone = isOfCamera(task, name) ? Object.keys(zones).find(isTaken) : undefined;
    if (zone !== undefined) return `its topic is that of zone ${zone} of camera ${name}`;
  }
  return null;
}

function areMet(a: TaughtTask, b: TaughtTask): boolean {
  return a.camera === null || b.camera === null || a.camera === b.camera;
}
