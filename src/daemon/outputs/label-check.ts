import { describeUnknownLabel, unknownLabels } from '../../config/check/labels.js';
import type { Context } from '../context.js';
import { knownLabelsOf } from '../options/label-rules.js';
import type { StopOutput } from './output.js';

/** Warns in the log of labels of the configuration that the model cannot say. */
export function startLabelCheck({
  config,
  model,
  log,
}: Pick<Context, 'config' | 'model' | 'log'>): StopOutput {
  const { variant } = model;
  for (const unknown of unknownLabels(config, knownLabelsOf(variant))) {
    log.warn(`${describeUnknownLabel(unknown)}, ${variant.name}: it is never present`);
  }
  return () => {};
}
