import type { Point } from './area.js';

/** A part of the picture, or with two points a line across it. */
export interface Zone {
  readonly name: string;
  /** Corners in pixels of the frame; two of them are the ends of a line. */
  readonly area: readonly Point[];
  /** Labels and groups that count; null: all. */
  readonly labels: readonly string[] | null;
  /** Looks in a row that must find an object inside before it has entered; 1 or more. */
  readonly minFrames: number;
  /** Seconds inside after which it loiters; null: it never does. */
  readonly dwell: number | null;
  /** Of a line: which way counts. `in` is from its left to its right, looking from the first point. */
  readonly direction: 'in' | 'out' | 'any';
}

export function isLine({ area }: Zone): boolean {
  return area.length === 2;
}
