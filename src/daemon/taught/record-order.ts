import type { Config } from '../../config/config.js';
import { codedError } from '../../errors.js';
import type { Variant } from '../../models/variant.js';
import { checkLabel, type TaughtTask, taskOf } from '../../taught/task.js';
import { requireTellable } from '../options/taught-faults.js';
import type { TaughtLabel } from '../options/taught-labels.js';

/** What is to be recorded. */
export interface RecordOrder {
  /** Null: pictures of the opposite. */
  readonly label: string | null;
  readonly camera: string;
  readonly zone: string | null;
  readonly of: readonly string[] | null;
  readonly seconds: number;
}

/** What an order is held against. */
export interface OrderSurroundings {
  readonly config: Config;
  readonly model: { readonly variant: Variant };
  readonly cameras: { list(): readonly { readonly name: string }[] };
}

/**
 * The task that pictures are to be recorded for.
 *
 * @param taught all that was taught before
 * @throws MND_TEACH_INVALID for what can never be told, MND_INPUT_MISSING where there is no such camera
 */
export function taskToRecord(
  { label, camera, zone, of }: RecordOrder,
  { config, model, cameras }: OrderSurroundings,
  taught: readonly TaughtLabel[],
): TaughtTask {
  const task = taskOf({ camera, zone, of });
  const names = cameras.list().map(({ name }) => name);
  if (!names.includes(camera)) {
    const detail = { subject: `camera ${camera}`, expected: names.join(', ') };
    throw codedError('MND_INPUT_MISSING', detail);
  }
  if (label !== null) checkLabel(label);
  requireTellable({ label, task }, { config, variant: model.variant, taught });
  return task;
}
