import { codedError } from '../../errors.js';
import type { ExplicitPadding } from '../graph.js';

/** Height, width and channels of a value; a vector is 1×1. */
export type MapShape = readonly [height: number, width: number, channels: number];

/**
 * One step of a float classifier as frameworks describe it, before steps are folded together. Names are
 * those of the results.
 */
export type FloatNode = { readonly name: string } & (
  | { readonly kind: 'picture'; readonly shape: MapShape }
  | {
      readonly kind: 'conv';
      readonly input: string;
      /** [out, height, width, in]; depthwise [height, width, out]. */
      readonly weights: Float32Array;
      readonly kernel: readonly [height: number, width: number];
      readonly channels: number;
      readonly depthwise: boolean;
      readonly stride: readonly [height: number, width: number];
      readonly dilation: readonly [height: number, width: number];
      readonly padding: 'same' | 'valid';
    }
  /** [out, in] of everything in the input, row by row. */
  | {
      readonly kind: 'dense';
      readonly input: string;
      readonly weights: Float32Array;
      readonly channels: number;
    }
  /** scale · value + shift, with one number each or one a channel. */
  | {
      readonly kind: 'affine';
      readonly input: string;
      readonly scale: ArrayLike<number> | null;
      readonly shift: ArrayLike<number> | null;
    }
  | {
      readonly kind: 'activation';
      readonly input: string;
      readonly function: 'relu' | 'relu6' | 'sigmoid' | 'hard-swish' | 'softmax';
    }
  | { readonly kind: 'add' | 'mul'; readonly inputs: readonly [string, string] }
  | { readonly kind: 'pad'; readonly input: string; readonly padding: ExplicitPadding }
  | {
      readonly kind: 'max-pool' | 'average-pool';
      readonly input: string;
      readonly kernel: readonly [height: number, width: number];
      readonly stride: readonly [height: number, width: number];
      readonly padding: 'same' | 'valid';
    }
  | { readonly kind: 'global-average'; readonly input: string }
  /** One row of all values. */
  | { readonly kind: 'flatten'; readonly input: string }
  | { readonly kind: 'identity'; readonly input: string }
);

type Unnamed<T> = T extends unknown ? Omit<T, 'name'> : never;

/** A node before it has a name. */
export type UnnamedNode = Unnamed<FloatNode>;

/** Names of the values that a node reads. */
export function inputsOf(node: FloatNode): readonly string[] {
  switch (node.kind) {
    case 'picture':
      return [];
    case 'add':
    case 'mul':
      return node.inputs;
    default:
      return [node.input];
  }
}

/** The node that an error is about, by the word of its framework. */
export function nodeError(
  code: 'MND_MODEL_OPERATOR' | 'MND_MODEL_SHAPE' | 'MND_MODEL_INVALID',
  subject: string,
  expected: string,
  found: string,
): Error {
  return codedError(code, { subject: subject.slice(0, 200), expected, found: found.slice(0, 160) });
}
