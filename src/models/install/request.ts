import type { PictureOptions } from '../../convert/scaling.js';
import type { NumericForm } from '../variant.js';
import type { CalibrationRequest } from './calibrate.js';

/** The network's files on this machine. */
export type ModelFiles =
  | { readonly format: 'tflite'; readonly file: string; readonly calibration: string | null }
  | {
      readonly format: 'tfjs';
      readonly modelJson: string;
      /** In the order of the manifest. */
      readonly shards: readonly string[];
      readonly calibration: string | null;
    }
  | { readonly format: 'onnx'; readonly file: string }
  /** What training/train.py writes: one file for several input sizes, of which one is meant. */
  | { readonly format: 'safetensors'; readonly file: string; readonly size: number };

/** What a file must turn out to be; absent fields are not looked at. */
export interface ExpectedModel {
  readonly family?: string;
  readonly alpha?: number | null;
  readonly sizes?: readonly number[];
  /** Millions, at the native size. */
  readonly multAdds?: number;
}

export interface ConversionRequest {
  readonly files: ModelFiles;
  /** Null for those that suit the network best. */
  readonly forms: readonly NumericForm[] | null;
  /** What was said of the picture; absent: nothing. */
  readonly picture?: PictureOptions;
  /** How many labels were given; null or absent if none were. */
  readonly labelCount?: number | null;
  /** What a float network gets integer forms by; absent: it stays as it is. */
  readonly calibration?: CalibrationRequest;
  /** Existing folder that gets `model.<form>.onnx`. */
  readonly folder: string;
  readonly expected: ExpectedModel;
}
