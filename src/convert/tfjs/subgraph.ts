import { codedError } from '../../errors.js';
import { quote } from './json.js';
import type { GraphModel, GraphNode } from './manifest.js';

/** Where the convolutional part of a graph begins and ends, by node name. */
export interface GraphCut {
  /** The node that delivers the normalised picture: `pixels · scale − offset`. */
  readonly input: string;
  readonly outputs: readonly string[];
}

/** The nodes between the cut's ends. */
export interface Subgraph {
  /** In topological order, without the input and without constants. */
  readonly nodes: readonly GraphNode[];
  /** How many of the nodes (and outputs of the cut) read a node's value. */
  readonly readers: ReadonlyMap<string, number>;
}

/** Whether a graph has the parts by which {@link findDetectorCut} finds its way. */
export function isDetector({ nodes }: GraphModel): boolean {
  return nodes.has('Preprocessor/sub') || (nodes.has('concat') && nodes.has('concat_1'));
}

/**
 * Finds the cut of a detector exported by TensorFlow's Object Detection API: behind the
 * preprocessing, whose last node is `Preprocessor/sub`, and before the reshapes whose results
 * `concat` (boxes) and `concat_1` (scores) join. Outputs are boxes and scores of each layer in turn.
 *
 * @throws MND_MODEL_MISMATCH if the graph has no such nodes
 */
export function findDetectorCut(model: GraphModel): GraphCut {
  const boxes = beforeReshapes(model, 'concat');
  const scores = beforeReshapes(model, 'concat_1');
  const input = 'Preprocessor/sub';
  if (!model.nodes.has(input) || boxes.length === 0 || boxes.length !== scores.length) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: 'model.json',
      expected: 'a detector with the nodes "Preprocessor/sub", "concat" and "concat_1"',
      found: `${model.nodes.size} nodes of another structure`,
    });
  }
  return { input, outputs: boxes.flatMap((box, layer) => [box, scores[layer] ?? box]) };
}

function beforeReshapes(model: GraphModel, concat: string): string[] {
  const node = model.nodes.get(concat);
  if (node?.op !== 'ConcatV2') return [];
  return node.inputs.slice(0, -1).map((name) => {
    const reshape = model.nodes.get(name);
    return reshape?.op === 'Reshape' ? (reshape.inputs[0] ?? '') : '';
  });
}

/**
 * Walks back from the outputs to the input (iteratively: a graph may be deep).
 *
 * @throws MND_MODEL_INVALID for a missing node or a cycle
 */
export function extractSubgraph(model: GraphModel, cut: GraphCut): Subgraph {
  const ordered: GraphNode[] = [];
  const readers = new Map<string, number>();
  const state = new Map<string, 'open' | 'done'>();
  const pending = [...cut.outputs].reverse();
  for (const name of cut.outputs) countReader(readers, name);
  while (pending.length > 0) {
    const name = pending[pending.length - 1] ?? '';
    const node = requireNode(model, name);
    if (state.get(name) === 'done' || name === cut.input || node.op === 'Const') {
      pending.pop();
    } else if (state.get(name) === 'open') {
      state.set(name, 'done');
      ordered.push(node);
      pending.pop();
    } else {
      state.set(name, 'open');
      for (const input of node.inputs) {
        countReader(readers, input);
        if (state.get(input) === 'open') throw cycle(input);
        pending.push(input);
      }
    }
  }
  return { nodes: ordered, readers };
}

function countReader(readers: Map<string, number>, name: string): void {
  readers.set(name, (readers.get(name) ?? 0) + 1);
}

function requireNode(model: GraphModel, name: string): GraphNode {
  const node = model.nodes.get(name);
  if (node === undefined) {
    throw codedError('MND_MODEL_INVALID', {
      subject: 'model.json',
      expected: `a node named ${quote(name)}`,
      found: 'none',
    });
  }
  return node;
}

function cycle(name: string) {
  return codedError('MND_MODEL_INVALID', {
    subject: 'model.json',
    expected: 'a graph without cycles',
    found: `one through ${quote(name)}`,
  });
}
