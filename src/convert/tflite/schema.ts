/**
 * Names and numbers of TensorFlow Lite's flatbuffer schema
 * (https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/lite/schema/schema.fbs).
 */

export const FILE_IDENTIFIER = 'TFL3';

/** BuiltinOperator, by number. */
export const OPERATOR_NAMES: readonly string[] = (
  'ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE ' +
  'EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D ' +
  'LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 ' +
  'RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM ' +
  'CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND ' +
  'SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE ' +
  'BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM ' +
  'CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE ' +
  'SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ' +
  'ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK ' +
  'REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR ' +
  'LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS ' +
  'WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE ' +
  'NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL'
).split(' ');

/** TensorType, by number. */
export const TENSOR_TYPES: readonly string[] = (
  'float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 ' +
  'resource variant uint32 uint16 int4'
).split(' ');

/** Bytes a value of the readable types takes. */
export const TYPE_SIZE: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint8: 1,
  int64: 8,
  int8: 1,
};

/** Field numbers of the tables. */
export const MODEL = { operatorCodes: 1, subgraphs: 2, buffers: 4, metadata: 6 } as const;
export const OPERATOR_CODE_TABLE = { deprecatedCode: 0, customCode: 1, code: 3 } as const;
export const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 } as const;
export const TENSOR = { shape: 0, type: 1, buffer: 2, name: 3, quantization: 4 } as const;
export const QUANTIZATION = { scale: 2, zeroPoint: 3, axis: 6 } as const;
export const OPERATOR = { opcode: 0, inputs: 1, outputs: 2, options: 4, customOptions: 5 } as const;
export const BUFFER = { data: 0, offset: 1 } as const;

/** Padding and ActivationFunctionType, by number. */
export const PADDINGS = ['same', 'valid'] as const;
export const ACTIVATIONS: readonly string[] = ['none', 'relu', 'relu_n1_to_1', 'relu6', 'tanh'];
