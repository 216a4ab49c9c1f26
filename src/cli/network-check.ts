import type { UnknownLabel } from '../config/check/labels.js';
import type { ConfigProblem } from '../config/check/problem.js';
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load.js';
import { isCodedError, messageOf } from '../errors.js';
import type { VariantRequest } from '../models/resolve.js';

/** A network that the configuration names, and the labels that are asked of it. */
interface Named {
  readonly key: 'model.name' | 'model.second.name';
  readonly request: VariantRequest;
  readonly unknown: (config: Config, known: ReadonlySet<string>) => readonly UnknownLabel[];
}

/**
 * Warnings of labels that the installed networks do not have, and of networks that nobody knows here: where the
 * configuration is checked for another machine, they may be installed there.
 *
 * @throws ConfigError when a network is for the other task
 */
export async function networkWarnings(
  { config, origins }: Pick<LoadedConfig, 'config' | 'origins'>,
  env: NodeJS.ProcessEnv,
): Promise<readonly ConfigProblem[]> {
  const { openShelf } = await import('../models/shelf.js');
  const { secondRequest } = await import('../daemon/second-model.js');
  const { knownLabelsOf } = await import('../daemon/options/label-rules.js');
  const { taughtNames } = await import('../daemon/options/taught-names.js');
  const { labelFault, unknownLabels, unknownSubLabels } = await import('../config/check/labels.js');
  const { nearestOrigin } = await import('../config/read/origins.js');
  const { configError } = await import('../config/check/problem.js');
  const { task, name, form, second } = config.model;
  const named: Named[] = [
    { key: 'model.name', request: { task, name, form }, unknown: unknownLabels },
  ];
  if (second.name !== null) {
    const request = secondRequest(second.name);
    named.push({ key: 'model.second.name', request, unknown: unknownSubLabels });
  }
  const shelf = openShelf({ dir: config.models_dir, mirror: null, env });
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  for (const { key, request, unknown } of named) {
    try {
      const own = knownLabelsOf(await shelf.resolve(request));
      const known = key === 'model.name' ? new Set([...own, ...(await taughtNames(config))]) : own;
      for (const each of unknown(config, known)) {
        const where = nearestOrigin(origins, [...each.key.split('.'), each.label]);
        warnings.push({ where, key: each.key, message: labelFault(each) });
      }
    } catch (error) {
      const code = isCodedError(error) ? error.code : null;
      const where = nearestOrigin(origins, key.split('.'));
      const problem = { where, key, message: messageOf(error) };
      if (code === 'MND_MODEL_MISMATCH') problems.push(problem);
      // Of one that is yet to be fetched nothing can be said.
      if (code === 'MND_MODEL_UNKNOWN') warnings.push(problem);
    }
  }
  if (problems.length > 0) throw configError(problems);
  return warnings;
}
