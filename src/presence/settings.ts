import { codedError } from '../errors.js';
import type { Box } from '../inference/result.js';
import type { Thresholds } from './state.js';
import type { Zone } from './zones/zone.js';

/** What classifiers call a picture with nothing to name in it: present only where a camera asks for it. */
export const BACKGROUND = 'background';

/** Which objects count, by their size, their shape and where they have been. */
export interface ObjectLimits {
  /** Square pixels. */
  readonly minArea?: number;
  readonly maxArea?: number;
  /** Width by height. */
  readonly minRatio?: number;
  readonly maxRatio?: number;
  /** An object counts once it has been in any of these zones; none: at once. */
  readonly requiredZones?: readonly string[];
}

export interface PresenceOptions extends Thresholds {
  /** Thresholds of single labels or groups; what is left out is taken from the general ones. */
  readonly labels: Readonly<Record<string, Partial<Thresholds>>>;
  /**
   * Group name → its labels. A group is present when any of its labels is. A group named like a label
   * takes that label's place.
   */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Labels and groups that are followed; all when left out. */
  readonly keep?: readonly string[];
  /**
   * Longest regular pause between two results, seconds (1 / frame rate, or the refresh interval of
   * a motion gate); default 1. A silence of more than twice this, and of at least `offDelay`, counts
   * as absence.
   */
  readonly resultInterval?: number;
  /**
   * Results whose median is the smoothed score: 3 (default), or 1 for single pictures (a watched
   * folder, a doorbell), where one look must do.
   */
  readonly window?: 1 | 3;
  /** Labels followed at the same time, default 256; further ones wait until one is forgotten. */
  readonly maxLabels?: number;
  /** Objects followed at the same time, of all labels and groups together; default 64. */
  readonly maxObjects?: number;
  /** Width and height that zones and areas are measured in; boxes of another size are stretched to it. */
  readonly frame?: readonly [width: number, height: number];
  /** The part of that frame that is looked at: a border of it cuts objects off. Default: all of it. */
  readonly view?: Box;
  /** Parts of the picture that are told of on their own; only of objects. */
  readonly zones?: readonly Zone[];
  /** Of all objects, and of single labels or groups, where they differ. */
  readonly objects?: ObjectLimits;
  readonly objectsOf?: Readonly<Record<string, ObjectLimits>>;
  /** Makes the id of an event that begins at `timeMs` (wall clock). */
  readonly createId: (timeMs: number) => string;
}

const DEFAULT_MAX_LABELS = 256;
const DEFAULT_MAX_OBJECTS = 64;
const DEFAULT_RESULT_INTERVAL = 1;

/** The options as presence asks them. */
export interface Settings {
  readonly createId: (timeMs: number) => string;
  readonly maxLabels: number;
  readonly maxObjects: number;
  readonly window: 1 | 3;
  /** Milliseconds without a result that say nothing. */
  readonly regularSilence: number;
  readonly frame: readonly [width: number, height: number] | null;
  /** The part of it that is looked at; null: unknown. */
  readonly view: Box | null;
  readonly zones: readonly Zone[];
  /** What holds for a label or group; the same object each time it is asked. */
  readonly rulesOf: (name: string) => NameRules;
}

/** What holds for one label or group. */
export interface NameRules {
  readonly name: string;
  /** Whether it is followed. */
  readonly isKept: boolean;
  readonly isGroup: boolean;
  /** Groups that the label belongs to. */
  readonly groups: readonly string[];
  readonly thresholds: Thresholds;
  /** Zones in which it counts. */
  readonly zones: readonly Zone[];
  readonly requiredZones: readonly string[];
  /** Limits of size and shape; null: none. */
  readonly limits: ObjectLimits | null;
}

/** Throws MND_CONFIG_INVALID for thresholds out of range. */
export function readSettings(options: PresenceOptions): Settings {
  const general = checkedThresholds('presence', options);
  const own = new Map<string, Thresholds>();
  for (const [label, overrides] of Object.entries(options.labels)) {
    own.set(
      label,
      checkedThresholds(`presence.labels.${label}`, mergeThresholds(general, overrides)),
    );
  }
  const groupsOf = new Map<string, string[]>();
  for (const [group, members] of Object.entries(options.groups)) {
    for (const member of new Set(members)) {
      groupsOf.set(member, [...(groupsOf.get(member) ?? []), group]);
    }
  }
  const groups = new Set(Object.keys(options.groups));
  const keep = options.keep === undefined ? null : new Set(options.keep);
  const zones = options.zones ?? [];
  const limitsOf = readObjectLimits(options);
  return {
    createId: options.createId,
    maxLabels: options.maxLabels ?? DEFAULT_MAX_LABELS,
    maxObjects: options.maxObjects ?? DEFAULT_MAX_OBJECTS,
    window: options.window ?? 3,
    regularSilence: (options.resultInterval ?? DEFAULT_RESULT_INTERVAL) * 2000,
    frame: options.frame ?? null,
    view: options.view ?? (options.frame === undefined ? null : [0, 0, ...options.frame]),
    zones,
    rulesOf: remembered((name) => ({
      name,
      isKept: keep === null ? name !== BACKGROUND : keep.has(name),
      isGroup: groups.has(name),
      groups: groupsOf.get(name) ?? [],
      thresholds: own.get(name) ?? general,
      zones: zones.filter(({ labels }) => labels?.includes(name) ?? true),
      ...limitsOf(name),
    })),
  };
}

/** More names than any network has. */
const MOST_NAMES = 16_384;

/** Asks once for each name: every label of every frame asks. */
function remembered(rulesOf: (name: string) => NameRules): (name: string) => NameRules {
  const all = new Map<string, NameRules>();
  return (name) => {
    const known = all.get(name);
    if (known !== undefined) return known;
    if (all.size >= MOST_NAMES) all.clear();
    const made = rulesOf(name);
    all.set(name, made);
    return made;
  };
}

function readObjectLimits({ objects = {}, objectsOf = {} }: PresenceOptions) {
  const own = new Map(
    Object.entries(objectsOf).map(([name, limits]) => [name, { ...objects, ...limits }]),
  );
  return (name: string): Pick<NameRules, 'requiredZones' | 'limits'> => {
    const limits: ObjectLimits = own.get(name) ?? objects;
    const isFree = Object.keys(limits).every((key) => key === 'requiredZones');
    return { requiredZones: limits.requiredZones ?? [], limits: isFree ? null : limits };
  };
}

/** Whether a box is large and slender enough. */
export function fits(
  { minArea, maxArea, minRatio, maxRatio }: ObjectLimits,
  [, , width, height]: Box,
): boolean {
  const area = width * height;
  const ratio = height > 0 ? width / height : Number.POSITIVE_INFINITY;
  return (
    area >= (minArea ?? 0) &&
    area <= (maxArea ?? Number.POSITIVE_INFINITY) &&
    ratio >= (minRatio ?? 0) &&
    ratio <= (maxRatio ?? Number.POSITIVE_INFINITY)
  );
}

function mergeThresholds(general: Thresholds, overrides: Partial<Thresholds>): Thresholds {
  return {
    enter: overrides.enter ?? general.enter,
    stay: overrides.stay ?? general.stay,
    offDelay: overrides.offDelay ?? general.offDelay,
    minFrames: overrides.minFrames ?? general.minFrames,
  };
}

/** Checks the ranges; a `stay` above `enter` (only one of the two was set) is lowered to it. */
function checkedThresholds(subject: string, thresholds: Thresholds): Thresholds {
  const { enter, stay, offDelay, minFrames } = thresholds;
  const require = (valid: boolean, key: string, expected: string, found: number): void => {
    if (valid) return;
    throw codedError('MND_CONFIG_INVALID', {
      subject: `${subject}.${key}`,
      expected,
      found: String(found),
    });
  };
  require(enter > 0 && enter <= 1, 'enter', 'a score over 0, up to 1', enter);
  require(stay > 0 && stay <= 1, 'stay', 'a score over 0, up to 1', stay);
  require(offDelay >= 0 && offDelay <= 86400, 'off_delay', '0 to 86400 seconds', offDelay);
  require(Number.isInteger(minFrames) &&
    minFrames >= 1 &&
    minFrames <= 1000, 'min_frames', 'a whole number from 1 to 1000', minFrames);
  return { enter, stay: Math.min(stay, enter), offDelay, minFrames };
}
