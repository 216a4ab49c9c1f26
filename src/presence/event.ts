import type { Box } from '../inference/result.js';

export type EventType = 'new' | 'update' | 'end';

/**
 * A stay in front of a camera: of one object (detectors) or of a label (classifiers, which name the
 * whole picture). `id` is the same in its new, update and end.
 */
export interface PresenceEvent {
  readonly id: string;
  readonly type: EventType;
  readonly camera: string;
  readonly label: string;
  /** Best smoothed score so far, 0 to 1. */
  readonly score: number;
  /** Milliseconds since the epoch; `end` is null until it has gone. */
  readonly start: number;
  readonly end: number | null;
  /** Variant that gave the score. */
  readonly model: string;
  /** Width multiplier; null for a network without one. */
  readonly alpha: number | null;
  readonly size: number;
  /** Most objects of this label seen in one frame of this stay. */
  readonly count: number;
  /** Where it was when its score was best; null for classification. */
  readonly box: Box | null;
  /** Which object it is, told apart by where it is and how it moves; null for classification. */
  readonly object: string | null;
  /** The object has not moved for a while: a parked car. */
  readonly stationary: boolean;
  /** Zones that it has been in, in order of entry. */
  readonly zones: readonly string[];
  /** Zones in which it stayed for the zone's dwell time. */
  readonly loitering: readonly string[];
  /** What a second network says the object is, and how sure it was, 0 to 1; null: it was not asked. */
  readonly subLabel: string | null;
  readonly subScore: number | null;
}

/** A label in a zone, as it is now. */
export interface ZoneState {
  readonly camera: string;
  readonly zone: string;
  readonly label: string;
  /** Objects of the label in it; 0: none is. A line has those that crossed it a moment ago. */
  readonly count: number;
  /** Since when there is one, milliseconds since the epoch; where there is none, since when. */
  readonly since: number;
  /** Best score of their events, 0 to 1. */
  readonly score: number;
  /** One of them has stayed for the zone's dwell time. */
  readonly loitering: boolean;
  /** Ids of their events. */
  readonly events: readonly string[];
}
