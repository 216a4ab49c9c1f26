import { isCodedError } from '../../errors.js';
import type { ChannelScaling } from '../scaling.js';
import { type FlatbufferReader, openFlatbuffer, type Table } from './flatbuffer.js';
import { BUFFER, FILE_IDENTIFIER, MODEL } from './schema.js';

/** What a .tflite file says of its picture and its labels. */
export interface TfliteMetadata {
  /** Of a float picture, as it is written, sane or not; null if the file says nothing. */
  readonly normalization: ChannelScaling | null;
  /** Names of the label files that are packed behind the flatbuffer, the likeliest first. */
  readonly labelFiles: readonly string[];
}

const NOTHING: TfliteMetadata = { normalization: null, labelFiles: [] };

/**
 * Field numbers of the metadata's own flatbuffer
 * (https://github.com/tensorflow/tflite-support/blob/v0.4.4/tensorflow_lite_support/metadata/metadata_schema.fbs).
 */
const IDENTIFIER = 'M001';
const ENTRY = { name: 0, buffer: 1 } as const;
const METADATA = { subgraphs: 3, files: 6 } as const;
const SUBGRAPH = { inputs: 2, outputs: 3, files: 4 } as const;
const TENSOR = { processUnits: 4, files: 6 } as const;
const UNIT = { kind: 0, options: 1 } as const;
const NORMALIZATION = { mean: 0, deviation: 1 } as const;
const FILE = { name: 0, type: 2 } as const;
const NORMALIZATION_KIND = 1;
/** AssociatedFileType: TENSOR_AXIS_LABELS and TENSOR_VALUE_LABELS. */
const LABEL_TYPES = [2, 3];

const METADATA_NAME = 'TFLITE_METADATA';

/**
 * Reads the metadata of a .tflite file. A file with none, or with damaged one, says nothing: TensorFlow
 * Lite does not look at it either.
 */
export function readTfliteMetadata(file: Uint8Array): TfliteMetadata {
  try {
    const bytes = metadataBuffer(file);
    return bytes === null ? NOTHING : parse(openFlatbuffer(bytes, IDENTIFIER));
  } catch (error) {
    if (isCodedError(error)) return NOTHING;
    throw error;
  }
}

function metadataBuffer(file: Uint8Array): Uint8Array | null {
  const reader = openFlatbuffer(file, FILE_IDENTIFIER);
  const model = reader.root();
  const entry = reader
    .tables(model, MODEL.metadata)
    .find((table) => reader.string(table, ENTRY.name) === METADATA_NAME);
  if (entry === undefined) return null;
  const buffer = reader.tables(model, MODEL.buffers)[reader.uint32(entry, ENTRY.buffer, 0)];
  const bytes = buffer === undefined ? null : reader.bytes(buffer, BUFFER.data);
  // A copy, so that offsets are counted from its own beginning.
  return bytes === null ? null : Uint8Array.from(bytes);
}

function parse(reader: FlatbufferReader): TfliteMetadata {
  const root = reader.root();
  const [subgraph] = reader.tables(root, METADATA.subgraphs);
  if (subgraph === undefined) return NOTHING;
  const [input] = reader.tables(subgraph, SUBGRAPH.inputs);
  const outputs = reader.tables(subgraph, SUBGRAPH.outputs);
  const files = [
    ...outputs.flatMap((output) => reader.tables(output, TENSOR.files)),
    ...reader.tables(subgraph, SUBGRAPH.files),
    ...reader.tables(root, METADATA.files),
  ];
  return {
    normalization: input === undefined ? null : normalizationOf(reader, input),
    labelFiles: files
      .filter((file) => LABEL_TYPES.includes(reader.int8(file, FILE.type, 0)))
      .map((file) => reader.string(file, FILE.name)),
  };
}

function normalizationOf(reader: FlatbufferReader, input: Table): ChannelScaling | null {
  for (const unit of reader.tables(input, TENSOR.processUnits)) {
    if (reader.uint8(unit, UNIT.kind, 0) !== NORMALIZATION_KIND) continue;
    const options = reader.table(unit, UNIT.options);
    if (options === null) return null;
    const mean = reader.float32s(options, NORMALIZATION.mean);
    const deviation = reader.float32s(options, NORMALIZATION.deviation);
    const scale = deviation.map((value) => 1 / value);
    return mean.length > 0 && scale.length > 0 ? { mean, scale } : null;
  }
  return null;
}
