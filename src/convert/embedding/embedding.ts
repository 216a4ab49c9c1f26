import protobuf from 'protobufjs/light.js';
import { codedError } from '../../errors.js';
import { EMBEDDING_OUTPUT, type ModelHead } from '../../models/variant.js';
import { type EncodedNode, encodeNode, encodeValue, graphField } from '../own-onnx/encode.js';
import { parseOnnx } from '../own-onnx/parse.js';
import { type FeatureValue, lastFeatures, sharedFeatures } from './find.js';
import { viewGraph } from './graph-view.js';

/**
 * Feature maps of an SSD whose means are its embedding, by their number from the finest on. The first tells
 * things apart better than the second and is less than half as long; both together are half a point better
 * (docs/measurements.md, "Taught labels").
 */
const SSD_LAYERS: readonly number[] = [0];

/** TensorProto.DataType */
const FLOAT = 1;
/** ModelProto.graph, length-delimited. */
const GRAPH_TAG = (7 << 3) | 2;

/**
 * The same network with one more output: the features that its last layer reads, averaged over height and
 * width, as real numbers. Of an SSD detector, its finest feature map. Found by the graph's
 * structure, so that it serves files that were converted before there were embeddings.
 *
 * What the file already has is not touched: the additions follow as a second part of its graph, which
 * readers join to the first (Protocol Buffers, "Encoding": "Last One Wins" merges embedded messages).
 *
 * @throws MND_MODEL_OPERATOR for a network in which no such features are found
 */
export function withEmbedding(onnx: Uint8Array, head: ModelHead): Uint8Array {
  const values = featuresOf(onnx, head);
  const writer = protobuf.Writer.create();
  const rows = values.map((value, index) => {
    const nodes = pooling(value, `${EMBEDDING_OUTPUT}:${index}`);
    for (const node of nodes) graphField(writer, 'node', encodeNode(node));
    return nodes.at(-1)?.output ?? '';
  });
  const join: EncodedNode =
    rows.length === 1
      ? { opType: 'Identity', inputs: rows, output: EMBEDDING_OUTPUT }
      : { opType: 'Concat', inputs: rows, output: EMBEDDING_OUTPUT, int: { axis: 1 } };
  graphField(writer, 'node', encodeNode(join));
  graphField(writer, 'output', encodeValue(EMBEDDING_OUTPUT, FLOAT, null));
  const added = writer.finish();
  const tag = protobuf.Writer.create().uint32(GRAPH_TAG).uint32(added.length).finish();
  const whole = new Uint8Array(onnx.length + tag.length + added.length);
  whole.set(onnx);
  whole.set(tag, onnx.length);
  whole.set(added, onnx.length + tag.length);
  return whole;
}

function featuresOf(onnx: Uint8Array, head: ModelHead): FeatureValue[] {
  const graph = viewGraph(parseOnnx(onnx));
  const found = namesOf(head).map((outputs) =>
    outputs.length === 1
      ? lastFeatures(graph, outputs[0] as string)
      : sharedFeatures(graph, outputs),
  );
  if (found.length > 0 && found.every((value) => value !== null)) return found;
  throw codedError('MND_MODEL_OPERATOR', {
    subject: 'embedding',
    expected: 'a classifier whose last layer has weights, or an SSD detector',
    found: `a ${head.kind} whose features are not found`,
    next: 'teach with another network',
  });
}

/** Outputs whose features are looked for: one of a last layer, or those of a feature map. */
function namesOf(head: ModelHead): readonly (readonly string[])[] {
  switch (head.kind) {
    case 'classifier':
      return [[head.logits.name]];
    case 'grid':
      return [[head.cells.name]];
    case 'ssd':
      return SSD_LAYERS.flatMap((number) => {
        // A detector of one feature map has that alone.
        const layer = head.layers[number] ?? head.layers.at(-1);
        return layer === undefined ? [] : [[layer.boxes.name, layer.scores.name]];
      });
    case 'boxes':
      return [];
  }
}

/** Operators from a value to a row of real numbers. */
function pooling({ name, stored, spatial }: FeatureValue, prefix: string): EncodedNode[] {
  const nodes: EncodedNode[] = [];
  let value = name;
  const apply = (opType: string, more: readonly string[] = []) => {
    const output = `${prefix}:${nodes.length}`;
    nodes.push({ opType, inputs: [value, ...more.filter((input) => input !== '')], output });
    value = output;
  };
  if (stored !== null) apply('DequantizeLinear', [stored.scale, stored.zeroPoint]);
  if (spatial) apply('GlobalAveragePool');
  apply('Flatten');
  return nodes;
}
