import type { Frame } from '../camera/source.js';
import {
  codedError,
  type ErrorCode,
  type ErrorDetail,
  isCodedError,
  messageOf,
} from '../errors.js';
import type { Variant } from '../models/variant.js';
import type { CropRegion } from '../vision/crop.js';
import type { Result, ScoredLabel } from './result.js';

/** How one frame is looked at. */
export interface RunOptions {
  /** Classes a classifier names, best first; at least 1. A detector names all it finds. */
  readonly topK: number;
  /** Detections with a lower score are dropped, 0 to 1. Classifiers do not look at it. */
  readonly threshold: number;
  /** Part of the frame that is looked at, in its pixels; null or absent: all of it. */
  readonly crop?: CropRegion | null;
  /** Width and height of the frame the crop was given for; absent: those of the frame itself. */
  readonly cropOf?: readonly [width: number, height: number];
  /**
   * Whether the result carries the embedding of what is looked at; default false. A variant that was loaded
   * without embeddings gives none.
   */
  readonly embedding?: boolean;
}

export interface ProfileOptions {
  /** Inferences that are measured, at least 1. */
  readonly runs: number;
  /** Inferences before them that are not. */
  readonly warmup: number;
}

/** What inferences of a variant cost, without pre- and post-processing. */
export interface RunCost {
  /** Milliseconds of one inference. */
  readonly medianMs: number;
  readonly minMs: number;
  /** Processor milliseconds of one inference: all threads of this process, mean. */
  readonly cpuMs: number;
  readonly runs: number;
}

/** Memory of the worker thread's JavaScript heap and of the whole process, bytes. */
export interface EngineMemory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  /** Sessions that are loaded. */
  readonly sessions: number;
}

/** What the worker can be asked, and what it answers. */
export interface Calls {
  readonly load: { request: { readonly variant: Variant }; answer: LoadAnswer };
  readonly run: {
    /** The frame's bytes lie in shared memory. */
    request: { readonly name: string; readonly frame: Frame; readonly options: RunOptions };
    answer: PackedAnswer;
  };
  readonly release: { request: { readonly name: string }; answer: Loaded };
  readonly profile: {
    request: { readonly name: string; readonly options: ProfileOptions };
    answer: RunCost;
  };
  readonly memory: { request: object; answer: EngineMemory };
  /** Releases everything; the worker ends after its answer. */
  readonly shutdown: { request: object; answer: Loaded };
}

/** Names of the variants that can run. */
export interface Loaded {
  readonly loaded: readonly string[];
}

export interface LoadAnswer extends Loaded {
  readonly ms: number;
}

export type CallKind = keyof Calls;

export type Request = {
  [Kind in CallKind]: { readonly id: number; readonly kind: Kind } & Calls[Kind]['request'];
}[CallKind];

/**
 * A result as numbers: cloning objects and strings from thread to thread takes as long as some
 * layers of a small network. The engine knows the rest.
 */
export type PackedResult = readonly number[];

const TIMINGS = 4;
const NO_BOX = -1;
/** Index, score and box of a label. */
const LABEL = 6;

/**
 * What a result has beyond its frame and variant, as plain numbers: timings, labels and, of an encoded
 * frame, the sides of its picture.
 */
export function packResult({ timings, picture, labels }: Result): PackedResult {
  const { decode, preprocess, inference, postprocess } = timings;
  const packed = [decode, preprocess, inference, postprocess];
  for (const { index, score, box } of labels) {
    // No box is as small as a pixel less than none.
    packed.push(index, score, ...(box ?? [0, 0, NO_BOX, NO_BOX]));
  }
  if (picture !== undefined) packed.push(...picture);
  return packed;
}

/** What a run is answered: numbers alone, or beside the embedding that was asked for. */
export type PackedAnswer =
  | PackedResult
  | { readonly numbers: PackedResult; readonly embedding: Float32Array };

export function packAnswer(result: Result): PackedAnswer {
  const { embedding } = result;
  return embedding === undefined ? packResult(result) : { numbers: packResult(result), embedding };
}

/** @param variant that ran on the frame */
export function unpackAnswer(answer: PackedAnswer, frame: Frame, variant: Variant): Result {
  if (!('numbers' in answer)) return unpackResult(answer, frame, variant);
  const { numbers, embedding } = answer;
  return { ...unpackResult(numbers, frame, variant), embedding };
}

/** @param variant that ran on the frame */
export function unpackResult(packed: PackedResult, frame: Frame, variant: Variant): Result {
  const [decode = 0, preprocess = 0, inference = 0, postprocess = 0] = packed;
  const labels: ScoredLabel[] = [];
  let at = TIMINGS;
  for (; at + LABEL <= packed.length; at += LABEL) {
    const [index = 0, score = 0, x = 0, y = 0, width = NO_BOX, height = NO_BOX] = packed.slice(
      at,
      at + LABEL,
    );
    const box = width === NO_BOX ? null : ([x, y, width, height] as const);
    labels.push({ index, label: variant.labels[index] ?? '', score, box });
  }
  const [across, down] = packed.slice(at);
  return {
    camera: frame.camera,
    sequence: frame.sequence,
    capturedAt: frame.capturedAt,
    time: frame.time,
    model: variant.name,
    alpha: variant.alpha,
    size: variant.size,
    ...(across !== undefined && down !== undefined && { picture: [across, down] as const }),
    timings: { decode, preprocess, inference, postprocess },
    labels,
  };
}

/** An error as it travels between threads. */
export interface WireError {
  readonly code: ErrorCode;
  readonly detail: Omit<ErrorDetail, 'cause'>;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: Calls[CallKind]['answer'] }
  | { readonly id: number; readonly ok: false; readonly error: WireError };

/** The worker's first message, with id 0: it is ready, or why it never will be. */
export const GREETING_ID = 0;

/** @param fallback code of an error that has none */
export function toWire(error: unknown, fallback: ErrorCode): WireError {
  if (!isCodedError(error)) return { code: fallback, detail: { found: messageOf(error) } };
  const { cause: _cause, ...detail } = error.detail;
  return { code: error.code, detail };
}

/** The coded error that was sent by {@link toWire}. */
export function fromWire(error: WireError): Error {
  return codedError(error.code, error.detail);
}
