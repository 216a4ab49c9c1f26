import type { OnnxFile, OnnxNode } from '../own-onnx/parse.js';

/** An ONNX graph that is walked against its arrows. */
export interface GraphView {
  /** The operator that makes a value; undefined for inputs and constants. */
  producer(value: string): OnnxNode | undefined;
  /** Operators that read a value. */
  consumers(value: string): readonly OnnxNode[];
  isConstant(value: string): boolean;
  /** The one value that an operator computes from, constants aside; null for several or none. */
  source(node: OnnxNode): string | null;
}

export function viewGraph(file: OnnxFile): GraphView {
  const producers = new Map<string, OnnxNode>();
  const readers = new Map<string, OnnxNode[]>();
  for (const node of file.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const isConstant = (value: string): boolean => {
    if (value === '' || file.constants.has(value)) return true;
    const node = producers.get(value);
    // Weights that are stored in eight bits, and constants that are made by operators.
    return node?.inputs.every(isConstant) ?? false;
  };
  return {
    producer: (value) => producers.get(value),
    consumers: (value) => readers.get(value) ?? [],
    isConstant,
    source(node) {
      const values = [...new Set(node.inputs.filter((input) => !isConstant(input)))];
      return values.length === 1 ? (values[0] as string) : null;
    },
  };
}
