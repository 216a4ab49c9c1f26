import { describeUnknownLabel, unknownLabels } from '../../config/check/labels.js';
import type { Config } from '../../config/config.js';
import type { Context } from '../context.js';
import { knownLabelsOf } from '../options/label-rules.js';
import { allTaughtLabels, type TaughtLabel } from '../options/taught-labels.js';
import type { StopOutput } from './output.js';

/** Zones of a classifier, which no taught label is looked for in. */
function zonesWithoutUse(
  { cameras }: Config,
  taught: readonly TaughtLabel[],
): (readonly [camera: string, zone: string])[] {
  const isUsed = (camera: string, zone: string) =>
    taught.some(({ task }) => task.camera === camera && task.zone === zone);
  return Object.entries(cameras).flatMap(([camera, { zones }]) =>
    Object.keys(zones).flatMap((zone) => (isUsed(camera, zone) ? [] : [[camera, zone] as const])),
  );
}

/** Warns in the log of labels of the configuration that the model cannot say. */
export function startLabelCheck({
  config,
  model,
  taught,
  log,
}: Pick<Context, 'config' | 'model' | 'taught' | 'log'>): StopOutput {
  const { variant } = model;
  const known = new Set([...allTaughtLabels(taught.labels()), ...knownLabelsOf(variant)]);
  for (const unknown of unknownLabels(config, known)) {
    log.warn(`${describeUnknownLabel(unknown)}, ${variant.name}: it is never present`);
  }
  if (variant.task === 'classify') {
    for (const [camera, zone] of zonesWithoutUse(config, taught.labels())) {
      log.warn(
        `cameras.${camera}.zones.${zone}: ${variant.name} draws no boxes and nothing was taught of this zone: nobody looks at it`,
      );
    }
  }
  return () => {};
}
