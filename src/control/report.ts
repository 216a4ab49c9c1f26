import type { NumericForm, Task } from '../models/variant.js';
import type { DeliveryReport } from '../mqtt/publish/delivery.js';
import type { LaneReport } from '../notify/lane.js';

export interface CameraReport {
  readonly name: string;
  readonly status: 'online' | 'offline' | 'ended' | 'disabled';
  /** Why it has this status; null when there is nothing to say. */
  readonly reason: string | null;
  /** Frames a second that are asked of it. */
  readonly fps: number;
  /** Frames a second that its stream is asked for while it is warm; null: its own. */
  readonly slowed_fps: number | null;
  /** Labels that are present now. */
  readonly present: readonly string[];
  /** Frames that gave way to newer ones. */
  readonly dropped: number;
  /** Objects that suppressed spots have kept back, ever; see `mobilenetd wrong --list`. */
  readonly held: number;
  /** What its source refused or found odd since the start, one entry a kind. */
  readonly notices: readonly NoticeReport[];
}

export interface NoticeReport {
  readonly kind: 'refused' | 'old' | 'flood' | 'overrun';
  readonly count: number;
  /** First and last time, ISO 8601. */
  readonly since: string;
  readonly last: string;
  /** The last one, in a sentence. */
  readonly message: string;
}

/** A value that was set at run time and stands before the file's; kept over a restart. */
export interface OverrideReport {
  /** `detect/CAMERA`, `threshold/CAMERA`, `pin` or `limit`. */
  readonly key: string;
  readonly value: string;
  /** What the file says; null where it no longer has such a camera. */
  readonly configured: string | null;
}

/** E.g. `threshold/front is 0.95, the file says 0.6`. */
export function overrideText({ key, value, configured }: OverrideReport): string {
  const file = configured === null ? 'the file has no such camera' : `the file says ${configured}`;
  return `${key} is ${value}, ${file}`;
}

/** How the database fares. */
export interface DatabaseReport {
  readonly writable: boolean;
  /** Why it cannot be written, and since when (ISO 8601); null while it can. */
  readonly error: string | null;
  readonly since: string | null;
  /** Events that wait in memory for the disk. */
  readonly waiting: number;
  /** Lost since the start. */
  readonly dropped_detections: number;
  readonly dropped_events: number;
}

/** What the daemon says of itself. Times in seconds unless named, memory in MB (10⁶ bytes). */
export interface StatusReport {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  readonly state_dir: string;
  /** Since the process started. */
  readonly uptime_s: number;
  /** False before the first frame has been labelled. */
  readonly ready: boolean;
  readonly log_level: string;
  /** What the configuration says: another one than `log_level` was set by hand, until the next reload. */
  readonly log_level_configured: string;
  readonly rss_mb: number;
  /** What runs; null while everything starts anew. */
  readonly running: RunningReport | null;
  /** What is being done while nothing runs; null while something does. */
  readonly doing: string | null;
}

/** How the second network fares. */
export interface SecondPayload {
  readonly name: string;
  /** `loading` while it is fetched or opened. */
  readonly state: 'loading' | 'works' | 'fails';
  /** Since it was started: runs, objects that were named, runs that failed. */
  readonly runs: number;
  readonly named: number;
  readonly failed: number;
  /** Frames whose objects had to wait for the governor's budget. */
  readonly held: number;
  /** Median of the last runs, ms; null before the first. */
  readonly ms: number | null;
  /** Why it does not work; null while it does. */
  readonly error: string | null;
}

/** A recording of pictures for teaching. */
export interface RecordingPayload {
  readonly id: string;
  readonly state: 'recording' | 'done' | 'failed';
  /** Seconds that are left. */
  readonly left_s: number;
  /** Pictures that were looked at; kept; nearly the same as others; of the kept ones, small. */
  readonly offered: number;
  readonly kept: number;
  readonly same: number;
  readonly small: number;
  /** Frames in which there was nothing to take, such as no object of the labels. */
  readonly empty: number;
  /** Seconds since a frame of the camera was looked at; 0 when it is over. */
  readonly idle_s: number;
  /** Why it failed, and kept nothing: what to say, and its code; null while it did not. */
  readonly error: string | null;
  readonly code: string | null;
  /** What all pictures are worth with those kept so far; null before anything is known. */
  readonly figures: TaughtFigures | null;
  /** What to do next, as far as it is known while recording. */
  readonly advice: readonly TaughtAdvice[];
}

/** What a head is worth, by leaving each picture out. */
export interface TaughtFigures {
  readonly accuracy: number | null;
  readonly false_accepts: number | null;
  readonly quality: number | null;
  readonly labels: readonly {
    readonly label: string;
    readonly recall: number | null;
    readonly precision: number | null;
  }[];
}

/** What to do next. */
export interface TaughtAdvice {
  readonly code: string;
  /** Null: it is about all of it. */
  readonly label: string | null;
  readonly text: string;
}

/** What was taught of one thing that is looked at, and how it fares. */
export interface TaughtTaskPayload {
  /** Its name, and what it is in words. */
  readonly task: string;
  readonly text: string;
  readonly camera: string | null;
  readonly zone: string | null;
  readonly of: readonly string[] | null;
  /** Pictures by label, and of none of them. */
  readonly labels: Readonly<Record<string, number>>;
  readonly others: number;
  /** `learning` while heads are made: what was learnt before serves meanwhile. */
  readonly state: 'learning' | 'works' | 'fails';
  /** Networks of the ladder whose head is made, of so many. */
  readonly ready: number;
  readonly networks: number;
  readonly error: string | null;
  /** By leaving each picture out; null before anything is known. */
  readonly figures: TaughtFigures | null;
  /** What to do next, the most useful first. */
  readonly advice: readonly TaughtAdvice[];
}

/** All that was taught on this board. */
export interface TaughtPayload {
  readonly tasks: readonly TaughtTaskPayload[];
  /** Labels that can never be told, and why. */
  readonly unusable: readonly {
    readonly label: string;
    readonly task: string;
    readonly why: string;
  }[];
  readonly recordings: readonly RecordingPayload[];
  /** Why the pictures cannot be read now; null while they can. What was known before serves meanwhile. */
  readonly error: string | null;
}

export interface RunningReport {
  readonly model: {
    readonly name: string;
    readonly task: Task;
    readonly form: NumericForm;
    /** Networks that may run in turn; and the one on whose scale all scores are, null: each has its own. */
    readonly rungs: number;
    /** Labels that are computed, where that is not all: the others are wanted nowhere. */
    readonly only: readonly string[] | null;
    readonly scores_of: string | null;
    /** What logits are divided by for that, by the network's name; where it is not 1. */
    readonly temperatures: Readonly<Record<string, number>>;
  };
  /** Null: there is no second network. */
  readonly second: SecondPayload | null;
  readonly taught: TaughtPayload;
  /** The last payload of `<base>/governor`; null without a governor. */
  readonly governor: Readonly<Record<string, unknown>> | null;
  /** Labelled frames a second over the last ten seconds. */
  readonly fps: number;
  /** Medians of the same time, milliseconds. */
  readonly latency_ms: number | null;
  readonly age_ms: number | null;
  readonly temperature: number | null;
  readonly throttled: boolean | null;
  readonly undervoltage: boolean | null;
  readonly cameras: readonly CameraReport[];
  readonly broker: {
    /** Without a user name and password. */
    readonly url: string;
    readonly embedded: boolean;
    readonly connected: boolean;
    /** Why there is no connection; null: not known yet, or there is one. */
    readonly fault: string | null;
    /** What it does not take, and why. */
    readonly delivery: DeliveryReport;
    /** A board (`<base>/<node>`) with the same device id in Home Assistant; null: none is known. */
    readonly device_rival: string | null;
  };
  /** Messages that wait for the broker, and that were given up. */
  readonly outbox: number;
  readonly dropped_messages: number;
  /** Frames whose inference failed. */
  readonly failed: number;
  readonly overrides: readonly OverrideReport[];
  readonly database: DatabaseReport;
  /** Address of the page; null: it does not listen. */
  readonly page: string | null;
  /** Why the page does not listen, though it is to; null: it does, or is switched off. */
  readonly page_error: string | null;
  /** Channels of rules, and why one fails. */
  readonly notify: readonly LaneReport[];
  /** What runs and was not configured but found, and what was not found, as sentences. */
  readonly found: readonly string[];
}
