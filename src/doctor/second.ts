import { labelFault, unknownSubLabels } from '../config/check/labels.js';
import type { Config } from '../config/config.js';
import { knownLabelsOf } from '../daemon/options/label-rules.js';
import { resolveSecond } from '../daemon/second-model.js';
import { messageOf } from '../errors.js';
import { openShelf } from '../models/shelf.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput } from './surroundings.js';

const { ok, info, warn, fail } = findings('model.second');

/** Whether the second network is there, is a classifier, and can say what is asked of it. */
export async function checkSecond({ around, config }: CheckInput): Promise<Finding[]> {
  const name = config?.model.second.name ?? null;
  if (config === null || name === null) return [];
  const shelf = openShelf({ dir: config.models_dir, env: around.env });
  try {
    const variant = await resolveSecond(shelf, name);
    if (variant === null) {
      return [
        info(`second network ${name}`, 'not installed', {
          means: 'the daemon fetches and converts it; until then objects go without sub_label',
          next: `mobilenetd models pull ${name}`,
        }),
      ];
    }
    const known = knownLabelsOf(variant);
    return [
      ok(
        `second network ${variant.name}`,
        `looks at ${config.model.second.of.join(', ')}; ${known.size} labels`,
      ),
      ...strangers(config, known, name),
    ];
  } catch (error) {
    return [
      fail(`second network ${name}`, messageOf(error), {
        next: 'mobilenetd models list shows classifiers',
      }),
    ];
  }
}

function strangers(config: Config, known: ReadonlySet<string>, name: string): Finding[] {
  return unknownSubLabels(config, known).map((unknown) =>
    warn(unknown.key, labelFault(unknown), {
      means: 'no object is ever called so',
      next: `mobilenetd models labels ${name} lists the labels there are`,
    }),
  );
}
