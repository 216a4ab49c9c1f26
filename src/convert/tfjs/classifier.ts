import type { ScoreKind } from '../../models/variant.js';
import { requireClasses, requireLogits } from '../classifier-head.js';
import { type Folded, fold } from '../float-network/fold.js';
import { type FloatNode, inputsOf, nodeError } from '../float-network/nodes.js';
import type { Graph } from '../graph.js';
import { LOGITS_NAME } from '../names.js';
import { pictureGraph } from '../picture-graph.js';
import {
  askForScaling,
  type ChannelScaling,
  checkScaling,
  inOrder,
  MAKER_SCALINGS,
  type PictureOptions,
  SIGNED_UNIT,
  scalingBefore,
  together,
} from '../scaling.js';
import { readGraphNodes } from './graph-nodes.js';
import { readLayers } from './layers.js';
import type { GraphModel, LayersModel } from './manifest.js';
import type { ConstantReader } from './weights.js';

/** A classifier of TensorFlow.js, its picture's scaling in front and its softmax left out. */
export interface TfjsClassifier {
  readonly graph: Graph;
  readonly scores: ScoreKind;
}

/**
 * Weights by which Teachable Machine's networks are known: Keras' MobileNet in front, two dense layers of
 * TensorFlow.js behind it, the second without a bias.
 */
const TEACHABLE_MACHINE = [/(^|\/)Conv1\/kernel$/, /(^|\/)dense_Dense\d+\/bias$/];
const TRAINED_LAYER = /(^|\/)dense_Dense\d+\/kernel$/;

function isTeachableMachine({ weights }: GraphModel | LayersModel): boolean {
  const names = [...weights.keys()];
  const count = (pattern: RegExp) => names.filter((name) => pattern.test(name)).length;
  return TEACHABLE_MACHINE.every((mark) => count(mark) === 1) && count(TRAINED_LAYER) === 2;
}

/**
 * Reads a classifier, of layers or as a graph.
 *
 * @throws MND_MODEL_… of the readers; MND_MODEL_QUESTION where nothing says how pixels become its numbers
 */
export function readTfjsClassifier(
  model: GraphModel | LayersModel,
  constants: ConstantReader,
  options: PictureOptions,
): TfjsClassifier {
  const { nodes, output } =
    model.kind === 'layers' ? readLayers(model, constants) : readGraphNodes(model, constants);
  const { name, scores } = endOf(nodes, output);
  const used = nodesBefore(nodes, name);
  const folded = fold(used, [name]);
  const { shape } = folded.value(name);
  const [height, width, classes] = shape;
  if (height * width !== 1) {
    const found = `[1, ${shape.join(', ')}]`;
    const expected = 'one row of scores, [1, classes]';
    throw nodeError('MND_MODEL_SHAPE', 'model output', expected, found);
  }
  requireClasses(classes, scores);
  const scaling = scalingOf(folded, options, isTeachableMachine(model));
  const graph = pictureGraph(folded, name, scaling, options.reversed);
  if (name === output) requireLogits(graph, LOGITS_NAME);
  return { graph, scores };
}

/** The value before a final softmax or sigmoid. */
function endOf(nodes: readonly FloatNode[], output: string) {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  let name = output;
  for (let steps = 0; steps < 16; steps += 1) {
    const node = byName.get(name);
    if (
      node?.kind === 'activation' &&
      (node.function === 'softmax' || node.function === 'sigmoid')
    ) {
      return { name: node.input, scores: node.function };
    }
    if (node?.kind !== 'identity' && node?.kind !== 'flatten') break;
    name = node.input;
  }
  return { name: output, scores: 'softmax' as const };
}

/** The nodes that a value depends on, in order. */
function nodesBefore(nodes: readonly FloatNode[], output: string): FloatNode[] {
  const needed = new Set([output]);
  const found: FloatNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!needed.has(node.name) && node.kind !== 'picture') continue;
    found.push(node);
    for (const input of inputsOf(node)) needed.add(input);
  }
  return found.reverse();
}

function scalingOf(
  { front, picture }: Folded,
  { scaling, maker, reversed }: PictureOptions,
  trained: boolean,
): ChannelScaling {
  const channels = picture[2] === 1 ? 1 : 3;
  if (scaling !== null) checkScaling(scaling, channels);
  const mean = front.factor.reduce((sum, factor) => sum + Math.abs(factor), 0) / channels;
  const begins = front.factor.some((factor) => factor !== 1) ? scalingBefore(mean) : null;
  const known =
    scaling ??
    begins ??
    (maker === null ? null : MAKER_SCALINGS[maker]) ??
    (trained ? SIGNED_UNIT : null);
  if (known === null) {
    throw askForScaling(
      'a float32 picture',
      'neither --mean and --scale, nor a rescaling at the beginning of the network',
    );
  }
  if (!front.factor.every((factor) => factor > 0)) {
    throw nodeError(
      'MND_MODEL_OPERATOR',
      'model input',
      'a scale above 0',
      front.factor.join(', '),
    );
  }
  return together(inOrder(known, reversed && channels === 3), front);
}
