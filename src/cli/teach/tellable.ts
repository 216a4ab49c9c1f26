import { requireTellable } from '../../daemon/options/taught-faults.js';
import { labelsIn } from '../../daemon/options/taught-labels.js';
import { taskOf } from '../../taught/task.js';
import { tasksOf } from '../../taught/tasks.js';
import type { Wanted } from './folder.js';
import type { TeachTools } from './tools.js';

/**
 * Before pictures of a file are taken: what could never be told is refused, as the daemon refuses to record it.
 *
 * @throws MND_TEACH_INVALID; MND_MODEL_… where there is no network to hold it against
 */
export async function checkTellable(
  { task, label }: Wanted,
  { config, shelf, variantFor }: TeachTools,
): Promise<void> {
  const taught = labelsIn(tasksOf(await shelf.list()));
  // Labels are held against the network of the frames, whichever looks at objects.
  const variant = await variantFor(taskOf({}));
  requireTellable({ label, task }, { config, variant, taught });
}
