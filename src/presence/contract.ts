import type { Box, Result } from '../inference/result.js';
import type { PresenceEvent, ZoneState } from './event.js';
import type { PresenceOptions } from './settings.js';
import type { Spot } from './spots.js';
import type { Instant, SeenBy, SubLabel } from './state.js';

/** A label that is present now. */
export interface PresentLabel extends SeenBy {
  readonly label: string;
  /** Smoothed score of the last result, 0 to 1, of the best object; may be below `stay` meanwhile. */
  readonly score: number;
  /** Wall time of the beginning of its longest stay, milliseconds since the epoch. */
  readonly since: number;
  /** Objects in the last result. */
  readonly count: number;
  /** Where the best object was last seen; null for classification. */
  readonly box: Box | null;
  /** Of the best object. */
  readonly eventId: string;
}

/** An object that is present now. */
export interface PresentObject {
  readonly eventId: string;
  readonly label: string;
  /** Where it was seen last, pixels of the frame. */
  readonly box: Box;
}

/** Turns the results of one camera into events; holds no timers and reads no clock. */
export interface Presence {
  /**
   * Folds in one result; returns the events it causes.
   *
   * @param isNews false: another variant looks at a scene in which nothing has changed since one has
   * judged it: whatever it says begins and ends nothing
   */
  update(result: Result, isNews?: boolean): PresenceEvent[];
  /** Lets off delays run out while no results come; call it about once a second. */
  tick(now: Instant): PresenceEvent[];
  /** What is present, best score first: one entry a label. */
  present(): PresentLabel[];
  /** Every event that is open, as it is now. */
  open(): PresenceEvent[];
  /** The objects that are present. */
  objects(): PresentObject[];
  /**
   * What a second network says of the object of an event; the surest answer stays. Returns the update,
   * or nothing where it has ended or that says nothing new.
   */
  name(eventId: string, sub: SubLabel): PresenceEvent[];
  /** Where each object is that is present, and was seen last. */
  where(): { readonly object: string; readonly box: Box }[];
  /** What in the zones is not as it was when this was asked last. */
  zoneChanges(): ZoneState[];
  /** What is in the zones now. */
  zones(): ZoneState[];
  /** False alarms that are kept back from now on. */
  suppress(spots: readonly Spot[]): void;
  /** How many objects each spot has kept back since this was asked last, by its id. */
  held(): ReadonlyMap<string, number>;
  /** The wall clock was set by `ms`: what is present began that much later or earlier. */
  shift(ms: number): void;
  /** Ends everything (shutdown, camera removed or disabled). */
  end(): PresenceEvent[];
  /** New thresholds, groups or labels; what is no longer followed ends at the next update or tick. */
  configure(options: PresenceOptions): void;
}
