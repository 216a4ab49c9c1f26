/** A tensor as the file has it. */
export interface TfliteTensor {
  readonly index: number;
  readonly name: string;
  /** A name of TENSOR_TYPES. */
  readonly type: string;
  readonly shape: readonly number[];
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number;
  /** A constant's values, little-endian, a view into the file; null for what is computed. */
  readonly bytes: Uint8Array | null;
}

/** An operator's own settings, by the field number of its options table. */
export interface TfliteOptions {
  int8(field: number, fallback: number): number;
  int32(field: number, fallback: number): number;
  float32(field: number, fallback: number): number;
}

export interface TfliteOperator {
  readonly index: number;
  /** A name of OPERATOR_NAMES; a custom operator has its own. */
  readonly name: string;
  /** Tensor indices; −1 for an optional input that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: TfliteOptions;
  /** Settings of a custom operator (flexbuffers). */
  readonly customOptions: Uint8Array | null;
}

export interface TfliteModel {
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}
