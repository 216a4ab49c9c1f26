import type { FrameSlot } from '../camera/slot.js';
import type { CapturedFrame } from '../camera/source.js';
import type { CameraStatus } from '../camera/supervisor.js';
import type { Box, Result } from '../inference/result.js';
import type { Presence, PresenceOptions } from '../presence/presence.js';
import { keepLabels } from './labels.js';
import type { Lane } from './pipeline.js';

export interface CameraUnitOptions {
  readonly name: string;
  readonly slot: FrameSlot;
  readonly presence: Presence;
  readonly presenceOptions: PresenceOptions;
  /** Frames a second asked for in the configuration. */
  readonly fps: number;
  readonly crop: Box | null;
  /** Seconds without a frame after which the source is restarted; null: never. */
  readonly stallTimeout: number | null;
  /** Labels that are kept; null keeps all. */
  readonly labels: ReadonlySet<string> | null;
  /** Scores below this change nothing: the least `stay` of any label. */
  readonly threshold: number;
  /** Supervises the camera's source until the signal is aborted. */
  readonly supervise: (
    signal: AbortSignal,
    onFrame: (frame: CapturedFrame) => void,
    onStatus: (status: CameraStatus, reason: string | null) => void,
  ) => Promise<void>;
  readonly onStatus: (status: CameraStatus, reason: string | null) => void;
}

/** One camera of the daemon: its source, slot and presence, and what the pipeline needs of it. */
export interface CameraUnit {
  readonly name: string;
  readonly lane: Lane;
  readonly presence: Presence;
  readonly slot: FrameSlot;
  /** Frames a second asked for in the configuration. */
  readonly fps: number;
  /** Seconds without a frame after which the source is restarted; null: never. */
  readonly stallTimeout: number | null;
  /** The last status of its source. */
  status(): CameraStatus;
  /** Why it has this status; null when there is nothing to say. */
  reason(): string | null;
  /** False while it has been switched off from outside: it runs, but nobody looks. */
  enabled(): boolean;
  setEnabled(on: boolean): void;
  /** Smoothed score that makes a label present, 0 to 1. */
  threshold(): number;
  setThreshold(enter: number): void;
  /** Limits the rate at which frames are looked at; null lifts the limit. */
  limitRate(fps: number | null): void;
  /** The result with short label names, without labels this camera does not keep. */
  filter(result: Result): Result;
  start(): void;
  stop(): Promise<void>;
}

export function createCameraUnit(options: CameraUnitOptions): CameraUnit {
  const { name, slot, presence, labels } = options;
  const ending = new AbortController();
  let status: CameraStatus = 'offline';
  let why: string | null = null;
  let supervised: Promise<void> | null = null;
  let limit: number | null = null;
  let enabled = true;
  let { enter } = options.presenceOptions;
  /** Scores that can matter: lower than configured when the threshold was lowered from outside. */
  let floor = options.threshold;

  function show(reason: string | null): void {
    options.onStatus(enabled ? status : 'disabled', reason);
  }

  const lane: Lane = {
    camera: name,
    crop: options.crop,
    take: () => (enabled ? slot.take() : null),
    release: (frame) => slot.release(frame),
    interval: () => (limit === null || limit >= options.fps ? 0 : 1000 / limit),
    threshold: () => floor,
  };

  return {
    name,
    lane,
    presence,
    slot,
    fps: options.fps,
    stallTimeout: options.stallTimeout,
    status: () => status,
    reason: () => why,
    enabled: () => enabled,
    setEnabled(on) {
      if (on === enabled) return;
      enabled = on;
      show(null);
    },
    threshold: () => enter,
    setThreshold(next) {
      const stay = Math.min(options.presenceOptions.stay, next);
      enter = next;
      floor = Math.min(options.threshold, stay);
      presence.configure({ ...options.presenceOptions, enter, stay });
    },
    limitRate(fps) {
      limit = fps;
    },
    filter(result) {
      return { ...result, labels: keepLabels(result.labels, labels) };
    },
    start() {
      supervised ??= options.supervise(
        ending.signal,
        (frame) => slot.put(frame),
        (next, reason) => {
          status = next;
          why = reason;
          show(reason);
        },
      );
    },
    async stop() {
      ending.abort();
      await supervised;
      slot.close();
    },
  };
}
