import type { ExplicitPadding, Tensor } from '../graph.js';
import type { Maker } from './maker.js';
import { type MapShape, nodeError } from './nodes.js';

/** A value of the network while it is put together. */
export interface Value {
  readonly shape: MapShape;
  /** The operator that makes it, while others may still be folded into it. */
  readonly maker: Maker | null;
  /** Zeros around it that the next convolution adds. */
  readonly pad: ExplicitPadding | null;
  /** Name of its tensor. */
  readonly tensor: string;
}

/** Values of the largest map; anything above is damage. */
const MAX_VALUES = 2 ** 26;

/** The values of a float network by the names of their nodes, and the tensors that hold them. */
export class Values {
  readonly #values = new Map<string, Value>();
  readonly #readers = new Map<string, number>();
  /** Maps, and the weights that operators add. */
  readonly tensors = new Map<string, Tensor>();

  /** @param reads a name as many times as something reads it */
  constructor(reads: readonly string[]) {
    for (const name of reads) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  /** @throws MND_MODEL_INVALID if no step has made it */
  of(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) {
      throw nodeError(
        'MND_MODEL_INVALID',
        JSON.stringify(name),
        'a value that a step makes',
        'none',
      );
    }
    return value;
  }

  /** A value without zeros around it that are still to be added. */
  plain(name: string): Value {
    const value = this.of(name);
    if (value.pad === null) return value;
    throw nodeError(
      'MND_MODEL_OPERATOR',
      name,
      'a convolution behind zero padding',
      'another step',
    );
  }

  /** Whether nothing but one step reads it. */
  isReadOnce(name: string): boolean {
    return this.#readers.get(name) === 1;
  }

  /** The operator that makes a value which nothing else reads. */
  foldable(name: string): Maker | null {
    return this.isReadOnce(name) ? this.of(name).maker : null;
  }

  /** @throws MND_MODEL_SHAPE for a map that is empty or too large */
  addTensor(name: string, shape: MapShape): void {
    if (shape.some((side) => !(side >= 1)) || shape[0] * shape[1] * shape[2] > MAX_VALUES) {
      throw nodeError('MND_MODEL_SHAPE', name, 'a map of some size', `[${shape.join(', ')}]`);
    }
    const tensor = { name, type: 'float32', quantization: null, data: null } as const;
    this.tensors.set(name, { ...tensor, shape: [1, ...shape] });
  }
}
