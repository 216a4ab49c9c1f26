import {
  type AttributeProto,
  DATA_TYPE,
  type DataType,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './definitions.js';

const STRING_ENCODER = new TextEncoder();

/** Operators of onnxruntime's own domain, among them the quantized ones that ONNX lacks. */
export const MICROSOFT = 'com.microsoft';

export type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface OnnxBuilder {
  /** Adds a node with one output and returns that output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, AttributeValue>>,
    domain?: string,
  ): string;
  /** Adds a constant; equal small constants are not merged. Returns its name. */
  constant(name: string, type: DataType, dims: readonly number[], values: ArrayBufferView): string;
  /** A constant without dimensions, shared by equal values. */
  scalar(type: 'float32' | 'uint8' | 'int8' | 'int32', value: number): string;
  input(name: string, type: DataType, dims: readonly (number | string)[]): void;
  output(name: string, type: DataType, dims: readonly (number | string)[]): void;
  finish(metadata: Readonly<Record<string, string>>): Uint8Array;
}

function attribute(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: STRING_ENCODER.encode(value) };
  if ('float' in value) return { name, type: 1, f: value.float };
  return { name, type: 7, ints: value };
}

function valueInfo(
  name: string,
  type: DataType,
  dims: readonly (number | string)[],
): ValueInfoProto {
  const dim = dims.map((side) =>
    typeof side === 'number' ? { dimValue: side } : { dimParam: side },
  );
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}

function rawBytes(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const SCALAR_ARRAYS = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
} as const;

/**
 * Collects the nodes of one ONNX model (opset 17, IR version 8). Tensor values are written as raw
 * little-endian bytes; every machine this program runs on is little-endian.
 */
export function createOnnxBuilder(graphName: string): OnnxBuilder {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const scalars = new Map<string, string>();

  function constant(
    name: string,
    type: DataType,
    dims: readonly number[],
    values: ArrayBufferView,
  ): string {
    initializers.push({ name, dims, dataType: DATA_TYPE[type], rawData: rawBytes(values) });
    return name;
  }

  return {
    node(opType, nodeInputs, output, attributes = {}, domain = '') {
      nodes.push({
        input: nodeInputs,
        output: [output],
        name: `${nodes.length}:${opType}`,
        opType,
        domain,
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      });
      return output;
    },
    constant,
    scalar(type, value) {
      const key = `${type}:${value}`;
      const known = scalars.get(key);
      if (known !== undefined) return known;
      const name = constant(`constant:${key}`, type, [], new SCALAR_ARRAYS[type]([value]));
      scalars.set(key, name);
      return name;
    },
    input(name, type, dims) {
      inputs.push(valueInfo(name, type, dims));
    },
    output(name, type, dims) {
      outputs.push(valueInfo(name, type, dims));
    },
    finish(metadata) {
      return encodeModel({
        irVersion: 8,
        producerName: 'mobilenetd',
        producerVersion: '',
        opsetImport: [
          { domain: '', version: 17 },
          { domain: MICROSOFT, version: 1 },
        ],
        metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
        graph: {
          name: graphName,
          node: nodes,
          initializer: initializers,
          input: inputs,
          output: outputs,
        },
      });
    },
  };
}
