import type { Box } from '../inference/result.js';

export type EventType = 'new' | 'update' | 'end';

/** A label's stay in front of a camera; `id` is the same in its new, update and end events. */
export interface PresenceEvent {
  readonly id: string;
  readonly type: EventType;
  readonly camera: string;
  readonly label: string;
  /** Best smoothed score so far, 0 to 1. */
  readonly score: number;
  /** Milliseconds since the epoch; `end` is null until the label has gone. */
  readonly start: number;
  readonly end: number | null;
  /** Variant that gave the score. */
  readonly model: string;
  /** Width multiplier; null for a network without one. */
  readonly alpha: number | null;
  readonly size: number;
  /** Most objects of this label seen in one frame of this stay. */
  readonly count: number;
  /** Of the best-scored object; null for classification. */
  readonly box: Box | null;
}
