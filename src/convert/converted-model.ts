import type { ModelHead, ModelInput, NumericForm } from '../models/variant.js';

/** What a conversion found and did, for people and for a model's metadata. */
export interface ConversionReport {
  /** Operators of the graph, by kind. */
  readonly operators: Readonly<Record<string, number>>;
  /** Weights and biases of all convolutions. */
  readonly parameters: number;
  /** Millions of multiply-adds of one inference; null if the input size is not fixed. */
  readonly multAdds: number | null;
  /** Output channels whose weight scale was raised to keep their bias in 32 bits. */
  readonly raisedChannels: number;
  /** Largest change of a weight by re-quantization, as a share of its layer's largest weight. */
  readonly largestWeightError: number;
}

/** A model ready for onnxruntime. */
export interface ConvertedModel {
  /** A whole ONNX file. */
  readonly onnx: Uint8Array;
  readonly form: NumericForm;
  readonly input: ModelInput;
  readonly head: ModelHead;
  readonly report: ConversionReport;
}
