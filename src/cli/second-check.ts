import type { ConfigProblem } from '../config/check/problem.js';
import type { LoadedConfig } from '../config/load.js';
import { isCodedError, messageOf } from '../errors.js';

/**
 * Warnings of labels that the second network does not have, and of one that nobody knows here.
 *
 * @throws ConfigError when it is a detector
 */
export async function secondWarnings(
  { config, origins }: Pick<LoadedConfig, 'config' | 'origins'>,
  env: NodeJS.ProcessEnv,
): Promise<readonly ConfigProblem[]> {
  const { name } = config.model.second;
  if (name === null) return [];
  const { openShelf } = await import('../models/shelf.js');
  const { resolveSecond } = await import('../daemon/second-model.js');
  const { knownLabelsOf } = await import('../daemon/options/label-rules.js');
  const { labelFault, unknownSubLabels } = await import('../config/check/labels.js');
  const { nearestOrigin } = await import('../config/read/origins.js');
  const { configError } = await import('../config/check/problem.js');
  try {
    const shelf = openShelf({ dir: config.models_dir, mirror: null, env });
    const variant = await resolveSecond(shelf, name);
    if (variant === null) return [];
    return unknownSubLabels(config, knownLabelsOf(variant)).map((unknown) => {
      const where = nearestOrigin(origins, [...unknown.key.split('.'), unknown.label]);
      return { where, key: unknown.key, message: labelFault(unknown) };
    });
  } catch (error) {
    const code = isCodedError(error) ? error.code : null;
    const key = 'model.second.name';
    const about = { where: nearestOrigin(origins, key.split('.')), key };
    if (code === 'MND_MODEL_MISMATCH') {
      throw configError([{ ...about, message: messageOf(error) }]);
    }
    return code === 'MND_MODEL_UNKNOWN' ? [{ ...about, message: messageOf(error) }] : [];
  }
}
