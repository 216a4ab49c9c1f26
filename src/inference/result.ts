/** Left, top, width, height in pixels of the frame as it was captured (before cropping). */
export type Box = readonly [x: number, y: number, width: number, height: number];

export interface ScoredLabel {
  /** Class index in the network's output. */
  readonly index: number;
  readonly label: string;
  /** Probability, 0 to 1. */
  readonly score: number;
  /** Null for classification. */
  readonly box: Box | null;
}

/** What the network said of one frame. */
export interface Result {
  readonly camera: string;
  readonly sequence: number;
  /** Capture time of the frame: monotonic, and wall clock, milliseconds. */
  readonly capturedAt: number;
  readonly time: number;
  /** Name of the variant that ran. */
  readonly model: string;
  /** Width multiplier of that variant; null for a network without one. */
  readonly alpha: number | null;
  readonly size: number;
  /** Width and height of an encoded frame's picture, of which boxes have the pixels; else the frame's. */
  readonly picture?: readonly [width: number, height: number];
  readonly timings: Timings;
  /** Best first. Classification: the top k; detection: every box over the threshold, suppressed. */
  readonly labels: readonly ScoredLabel[];
  /** Where it was asked for: the pooled features that the network's last layer reads. */
  readonly embedding?: Float32Array;
}

/** Milliseconds spent on one frame, by stage. */
export interface Timings {
  /** Decoding of an encoded picture; 0 for raw frames. */
  readonly decode: number;
  readonly preprocess: number;
  readonly inference: number;
  /** Softmax and top-k, or box decoding and non-maximum suppression. */
  readonly postprocess: number;
}
