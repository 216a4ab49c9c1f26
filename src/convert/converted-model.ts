import type { ModelHead, ModelInput, NumericForm } from '../models/variant.js';
import type { LayerReport } from './layers.js';

/** What a numeric form did to a network's weights. */
export interface WeightChanges {
  /** Output channels whose weight scale was raised to keep their bias in 32 bits. */
  readonly raisedChannels: number;
  /** Output channels whose weights got another scale than the file has, or that equalization rescaled. */
  readonly rescaledChannels: number;
  /** Largest change of a weight by re-quantization, as a share of its layer's largest weight. */
  readonly largestWeightError: number;
}

/** A form that keeps the weights as they are in the file. */
export const UNCHANGED: WeightChanges = {
  raisedChannels: 0,
  rescaledChannels: 0,
  largestWeightError: 0,
};

/** What a conversion found and did, for people and for a model's metadata. */
export interface ConversionReport extends WeightChanges {
  /** Operators of the graph, by kind. */
  readonly operators: Readonly<Record<string, number>>;
  /** Weights and biases of all convolutions. */
  readonly parameters: number;
  /** Millions of multiply-adds of one inference; null if the input size is not fixed. */
  readonly multAdds: number | null;
  /** Operators in order; empty for a network that was passed on as it is. */
  readonly layers: readonly LayerReport[];
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
