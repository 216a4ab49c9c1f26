import protobuf from 'protobufjs/light.js';
import { encodeField, encodeNode, encodeValue, graphField } from '../own-onnx/encode.js';
import { damaged, fieldsOf, messageOf } from '../own-onnx/fields.js';
import type { OnnxFile, OnnxNode } from '../own-onnx/parse.js';
import { checkTensor } from '../own-onnx/tensor.js';

/** Field numbers of ModelProto, GraphProto and NodeProto. */
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5, valueInfo: 13 } as const;
const NODE_ATTRIBUTE = 5;
/** TensorProto.DataType */
const FLOAT = 1;

/** A message of an operator, as a field of the graph. */
export function nodeField(message: Uint8Array): Uint8Array {
  return encodeField(GRAPH.node, message);
}

/** An operator of another kind with the attributes that one has. */
export function nodeLike(
  node: OnnxNode,
  opType: string,
  inputs: readonly string[],
  output: string,
): Uint8Array {
  const parts = [encodeNode({ opType, inputs, output })];
  for (const outer of fieldsOf(node.raw)) {
    for (const { number, raw } of fieldsOf(messageOf(outer))) {
      if (number === NODE_ATTRIBUTE) parts.push(raw);
    }
  }
  return Buffer.concat(parts);
}

/**
 * The file with other operators, and without the constants that they no longer read.
 *
 * @param nodes fields of the graph, in the order in which they run
 * @param read names that they read
 * @param constants TensorProtos that are added
 */
export function rebuilt(
  file: OnnxFile,
  nodes: readonly Uint8Array[],
  read: ReadonlySet<string>,
  constants: readonly Uint8Array[],
): Uint8Array {
  const gone = (name: string) => file.constants.has(name) && !read.has(name);
  const rest = file.graphRest.filter((raw) => {
    const [field] = fieldsOf(raw);
    if (field === undefined) throw damaged('an empty field');
    // What is said of shapes between the operators is no longer true.
    if (field.number === GRAPH.valueInfo) return false;
    return field.number !== GRAPH.initializer || !gone(checkTensor(messageOf(field)).name);
  });
  const graph = Buffer.concat([
    ...nodes,
    ...rest,
    ...file.inputs.filter(({ name }) => !gone(name)).map(({ raw }) => raw),
    ...file.outputs.map(({ raw }) => raw),
    ...constants.map((message) => encodeField(GRAPH.initializer, message)),
  ]);
  return Buffer.concat([...file.modelRest, encodeField(MODEL_GRAPH, graph)]);
}

/** The file with some of its values, real numbers, among its outputs. */
export function withOutputs(file: OnnxFile, names: readonly string[]): Uint8Array {
  const known = new Set(file.outputs.map(({ name }) => name));
  const added = protobuf.Writer.create();
  for (const name of names) {
    if (!known.has(name)) graphField(added, 'output', encodeValue(name, FLOAT, null));
  }
  const graph = Buffer.concat([
    ...file.nodes.map(({ raw }) => raw),
    ...file.graphRest,
    ...file.inputs.map(({ raw }) => raw),
    ...file.outputs.map(({ raw }) => raw),
    added.finish(),
  ]);
  return Buffer.concat([...file.modelRest, encodeField(MODEL_GRAPH, graph)]);
}
