import { type FloatNode, type MapShape, nodeError } from '../float-network/nodes.js';
import { shapeOf } from './attributes.js';
import { READERS, type Reading, unsupported } from './graph-operators.js';
import type { GraphModel, GraphNode } from './manifest.js';
import { extractSubgraph } from './subgraph.js';
import type { ConstantReader } from './weights.js';

/** The nodes of a graph model, the picture first, and the name of what it ends with. */
export interface GraphNodes {
  readonly nodes: readonly FloatNode[];
  readonly output: string;
}

/**
 * Reads the graph model of a classifier: one picture in, one row of numbers out.
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE
 */
export function readGraphNodes(model: GraphModel, constants: ConstantReader): GraphNodes {
  const input = placeholderOf(model);
  const output = leafOf(model);
  const reading: Reading = {
    model,
    constants,
    nodes: [],
    names: new Map([[input.name, 'picture']]),
  };
  reading.nodes.push({ kind: 'picture', name: 'picture', shape: pictureShape(input) });
  for (const node of extractSubgraph(model, { input: input.name, outputs: [output] }).nodes) {
    const read = READERS[node.op];
    if (read === undefined) {
      throw unsupported(node, `one of ${Object.keys(READERS).join(', ')}`, node.op);
    }
    reading.names.set(node.name, read(node, reading));
  }
  return { nodes: reading.nodes, output: reading.names.get(output) ?? output };
}

function placeholderOf({ nodes }: GraphModel): GraphNode {
  const found = [...nodes.values()].filter(({ op }) => op === 'Placeholder');
  const [input] = found;
  if (input !== undefined && found.length === 1) return input;
  throw nodeError(
    'MND_MODEL_SHAPE',
    'model.json',
    'one picture as input',
    `${found.length} inputs`,
  );
}

function pictureShape(node: GraphNode): MapShape {
  const [, height = 0, width = 0, channels = 0] = shapeOf(node);
  if (height >= 1 && width >= 1 && (channels === 1 || channels === 3)) {
    return [height, width, channels];
  }
  const found = `[${shapeOf(node).join(', ')}]`;
  throw nodeError('MND_MODEL_SHAPE', 'model input', 'a picture of a fixed size', found);
}

/** The node that nothing reads. */
function leafOf({ nodes }: GraphModel): string {
  const read = new Set([...nodes.values()].flatMap(({ inputs }) => inputs));
  const leaves = [...nodes.values()].filter(
    ({ name, op }) => !read.has(name) && op !== 'Const' && op !== 'Placeholder' && op !== 'NoOp',
  );
  const [leaf] = leaves;
  if (leaf !== undefined && leaves.length === 1) return leaf.name;
  const names = leaves.map(({ name }) => name.slice(0, 40)).slice(0, 6);
  throw nodeError(
    'MND_MODEL_SHAPE',
    'model.json',
    'a classifier with one output, or a detector of TensorFlow’s Object Detection API',
    `${leaves.length} outputs (${names.join(', ')})`,
  );
}
