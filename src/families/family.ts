import type { Graph } from '../convert/graph.js';
import { codedError } from '../errors.js';
import type { Task } from '../models/variant.js';
import type { ArchitectureTotals, Layer } from './layers.js';

/** One network of a family. */
export interface Member {
  /** Width multiplier α; null for a family without one. */
  readonly alpha: number | null;
  /** Side of the square input, pixels. */
  readonly size: number;
  /** Outputs of a classifier (ImageNet's checkpoints have 1001); a detector's columns of scores. */
  readonly classes: number;
}

export interface Architecture extends Member {
  readonly layers: readonly Layer[];
  readonly totals: ArchitectureTotals;
}

/**
 * A family of networks: a file of its own, and a row of the table in families.ts. The catalogue, the
 * installation and `models describe` know families from there alone.
 */
export interface Family {
  /** As in the catalogue and in file names. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly task: Task;
  /** Whether a file whose name says that it is of this family is held to it. */
  readonly bindsNames: boolean;
  /** The member that a graph is, by its layers; null for another network. */
  recognise(graph: Graph): Member | null;
  /**
   * Layers, parameters and multiply-adds of a member; padding is SAME.
   *
   * @throws MND_USAGE for a member that cannot be
   */
  describe(member: Member): Architecture;
}

/** What a graph was recognised as. */
export interface Identity extends Member {
  readonly family: string;
}

/** Bounds of a family's members. */
export interface MemberBounds {
  /** Greatest width multiplier; null for a family without one. */
  readonly alpha: number | null;
  /** What the input size must be a multiple of, pixels. */
  readonly sizeStep: number;
}

/**
 * @returns the width multiplier, 1 for a family without one
 * @throws MND_USAGE, naming the number that cannot be
 */
export function checkMember({ alpha, size, classes }: Member, bounds: MemberBounds): number {
  const fits =
    bounds.alpha === null ? alpha === null : alpha !== null && alpha > 0 && alpha <= bounds.alpha;
  if (!fits) {
    throw codedError('MND_USAGE', {
      subject: 'alpha',
      expected:
        bounds.alpha === null
          ? 'none, for the family has no width multiplier'
          : `a number above 0, at most ${bounds.alpha}`,
      found: `${alpha ?? 'none'}`,
    });
  }
  const { sizeStep } = bounds;
  if (!Number.isInteger(size) || size < 32 || size > 4096 || size % sizeStep !== 0) {
    throw codedError('MND_USAGE', {
      subject: 'size',
      expected: sizeStep === 1 ? 'from 32 to 4096' : `a multiple of ${sizeStep} from 32 to 4096`,
      found: `${size}`,
    });
  }
  if (!Number.isInteger(classes) || classes < 1 || classes > 1e6) {
    throw codedError('MND_USAGE', {
      subject: 'classes',
      expected: 'a whole number from 1 to 1000000',
      found: `${classes}`,
    });
  }
  return alpha ?? 1;
}
