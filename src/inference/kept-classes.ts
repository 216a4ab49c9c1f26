import type { SsdHead, Variant } from '../models/variant.js';

/** Whether classes can be left out without any effect on the others' objects. */
export function canKeepClasses({ head }: Pick<Variant, 'head'>): boolean {
  // Where a file's own rules let boxes of all classes suppress each other, or share few places, each class
  // matters to the others. Without such rules there is room for a hundred objects.
  return head.kind === 'ssd' && head.suppression === undefined;
}

/** The head as a network has it that computes the scores of these classes alone. */
export function keptHead(head: SsdHead, kept: readonly number[] | undefined): SsdHead {
  return kept === undefined ? head : { ...head, classes: kept.length, background: false };
}
