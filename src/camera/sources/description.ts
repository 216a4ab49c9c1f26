import type { Section, ValueOf } from '../../schema/section.js';
import type { Clock } from '../../time.js';
import type { SpawnChild } from '../child/process.js';
import type { Source } from '../source.js';

export type Rotation = 0 | 90 | 180 | 270;

/** What every camera has, whatever its source is. */
export interface PictureOptions {
  /** Width and height of the frames, pixels, even; pictures that come as files keep their own. */
  readonly size: readonly [width: number, height: number];
  /** Frames a second, over 0. */
  readonly fps: number;
  /** Clockwise, degrees: what is left for the source to do. */
  readonly rotation: Rotation;
}

/** What sources take from their surroundings. */
export interface SourceSurroundings {
  readonly clock?: Clock;
  readonly spawn?: SpawnChild;
  /** Where libcamera's programs are looked for; default: the PATH. */
  readonly path?: string;
  /** Frames a second now, at most the configured rate; a stream keeps its own. */
  readonly rate?: () => number;
  /** Told of what the source refuses, skips or finds odd while it goes on working. */
  readonly onNotice?: (notice: SourceNotice) => void;
}

/** Something a source that works on has to say: once a kind and subject is enough. */
export interface SourceNotice {
  /**
   * `refused`: a picture or folder cannot be taken; `old`: a picture is of another time; `flood`: far more
   * frames than asked for; `overrun`: pictures come faster than they can be looked at.
   */
  readonly kind: 'refused' | 'old' | 'flood' | 'overrun';
  /** What it is about, e.g. `refused IMG_1.heic`: notices of one key are repetitions. */
  readonly key: string;
  /** One sentence without a full stop. */
  readonly message: string;
}

/** A value that a source cannot work with. */
export interface SourceFault {
  readonly key: string;
  readonly expected: string;
}

/**
 * A kind of camera, as the configuration, its checks, `doctor`, discovery and the documentation see
 * it. One row of the registry; nothing else knows the kind by its name.
 */
export interface SourceDescription<K extends Section = Section> {
  /** What it is, in a few words. */
  readonly summary: string;
  /** Format of its frames, and the program they come through (`` for none): for people. */
  readonly frames: string;
  readonly through: string;
  /** The keys it has besides those of every camera. */
  readonly keys: K;
  /** Keys of which exactly one must be given. */
  readonly needs: readonly (keyof K & string)[];
  /** Schemes of addresses it takes, e.g. `rtsp`. */
  readonly schemes: readonly string[];
  /** The devices it uses, for discovery. */
  readonly devices: 'libcamera' | 'v4l2' | null;
  /** Rotations it does itself; the others are done to its frames. */
  readonly turns: readonly Rotation[];
  /** The kind that takes single pictures with the same camera. */
  readonly stills?: string;
  /** Whether each picture stands alone: the next may be minutes away and confirms nothing. */
  readonly alone: boolean;
  /** Whether it leaves out itself what comes beyond `fps`, so that more of it is a fault. */
  readonly selects: boolean;
  /** Frames a second it can be expected to deliver. */
  rate(options: PictureOptions & ValueOf<K>): number;
  /**
   * Least seconds without a frame after which it has stalled; null: its pictures come when they come,
   * and it never stalls.
   */
  readonly leastStall: number | null;
  /** Seconds `doctor` waits for its first frame; null: it only looks whether `path` can be read. */
  readonly trial: number | null;
  /** What to do when it fails and the failure says nothing better. */
  readonly advice: string | null;
  /** What to do when what it opens is missing. */
  readonly missing: string | null;
  /** What it cannot work with: the one place that decides, for the check and for the run. */
  faults(options: PictureOptions & ValueOf<K>): readonly SourceFault[];
  /** Makes the source of options without faults. */
  create(options: PictureOptions & ValueOf<K>, surroundings: SourceSurroundings): Source;
}

/** Keeps the types of a description's own keys. */
export function describeSource<const K extends Section>(
  description: SourceDescription<K>,
): SourceDescription<K> {
  return description;
}
