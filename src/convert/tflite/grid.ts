import type { ScoreKind } from '../../models/variant.js';
import type { Graph } from '../graph.js';
import { type GridShape, gridShape } from '../grid-head.js';
import type { TfliteModel } from './model-types.js';
import { onlyTensor, type PicturePlan } from './picture.js';
import { findLogits, readGraph } from './read.js';

/** Name of the output of a converted grid. */
export const CELLS_NAME = 'cells';

export interface TfliteGrid {
  readonly graph: Graph;
  readonly scores: ScoreKind;
  readonly shape: GridShape;
}

/**
 * Reads a network whose output is a grid of class scores, as Edge Impulse's FOMO; null for one whose
 * output is no map. A final softmax is left out.
 *
 * @throws MND_MODEL_SHAPE for a map of another kind
 */
export function gridGraph(model: TfliteModel, plan: PicturePlan): TfliteGrid | null {
  const output = onlyTensor(model, 'outputs');
  const { index, scores, explicit } = findLogits(model);
  const shape = gridShape(output.shape, plan.source.shape, explicit ? scores : null);
  if (shape === null) return null;
  return { graph: readGraph(model, new Map([[index, CELLS_NAME]]), plan), scores, shape };
}
