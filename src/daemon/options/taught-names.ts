import type { Config } from '../../config/config.js';
import { CropShelf } from '../../taught/shelf.js';
import { tasksOf } from '../../taught/tasks.js';
import { allTaughtLabels, labelsIn } from './taught-labels.js';
import { cropBoundsOf } from './teach.js';

/**
 * Labels that were taught in the state folder of a configuration, for whoever asks without a daemon: they are
 * labels as those of the model. None where the folder cannot be read.
 */
export async function taughtNames(config: Config): Promise<readonly string[]> {
  if (!config.teach.enabled) return [];
  const crops = await new CropShelf(config.state_dir, cropBoundsOf(config)).list().catch(() => []);
  return allTaughtLabels(labelsIn(tasksOf(crops)));
}
