import type { CaptureMode, Director } from '../../camera/director.js';
import { createDirector } from '../../camera/director.js';
import type { Schedule } from '../../camera/schedule.js';
import type { FrameSlot } from '../../camera/slot.js';
import type { CapturedFrame } from '../../camera/source.js';
import type { CameraStatus } from '../../camera/supervisor.js';
import { codedError } from '../../errors.js';
import type { Result } from '../../inference/result.js';
import type { Presence, PresenceOptions } from '../../presence/presence.js';
import { type Clock, systemClock } from '../../time.js';
import { keepLabels } from '../line/labels.js';
import type { Meter } from '../line/meter.js';
import type { Lane } from '../line/pipeline.js';

type RunningMode = Exclude<CaptureMode, 'off'>;

/** How the results of a camera are read; can change while it runs. */
export interface Reading {
  /** By the way the camera is read. */
  readonly presenceOptions: Readonly<Record<RunningMode, PresenceOptions>>;
  /** Labels that are kept; null keeps all. */
  readonly labels: ReadonlySet<string> | null;
  /** Scores below this change nothing: the least `stay` of any label. */
  readonly threshold: number;
}

export interface CameraUnitOptions extends Reading {
  readonly name: string;
  readonly slot: FrameSlot;
  readonly meter: Meter;
  readonly presence: Presence;
  /** Frames a second asked for in the configuration, by the way the camera is read. */
  readonly fps: Readonly<Record<RunningMode, number>>;
  /** Seconds without a frame after which the source is restarted; null: never. */
  readonly stallTimeout: Readonly<Record<RunningMode, number | null>>;
  /** `auto` streams, and takes stills while it is told to keep cool. */
  readonly capture: RunningMode | 'auto';
  /** When it runs; null: always. */
  readonly schedule: Schedule | null;
  readonly crop: Lane['crop'];
  /** Supervises the camera's source until the signal is aborted. */
  readonly supervise: (
    mode: RunningMode,
    signal: AbortSignal,
    onFrame: (frame: CapturedFrame) => void,
    onStatus: (status: CameraStatus, reason: string | null) => void,
    /** Frames a second that are wanted of it now. */
    rate: () => number,
  ) => Promise<void>;
  /** Takes a picture of its own, while the source is stopped; null when the camera cannot. */
  readonly takePicture: ((signal: AbortSignal) => Promise<Uint8Array>) | null;
  readonly onStatus: (status: CameraStatus, reason: string | null) => void;
  /** Milliseconds since the epoch. */
  readonly wallTime?: () => number;
  readonly clock?: Clock;
}

/** One camera of the daemon: its source, slot and presence, and what the pipeline needs of it. */
export interface CameraUnit {
  readonly name: string;
  readonly lane: Lane;
  readonly presence: Presence;
  readonly slot: FrameSlot;
  readonly meter: Meter;
  /** Frames a second asked for, in the way it is read now. */
  readonly fps: number;
  /** Seconds without a frame after which the source is restarted; null: never. */
  readonly stallTimeout: number | null;
  /** Its status as it is shown. */
  status(): CameraStatus;
  /** Why it is not online; null when it is. */
  reason(): string | null;
  /** False while it has been switched off from outside: it runs, but nobody looks. */
  enabled(): boolean;
  setEnabled(on: boolean): void;
  /** Reads results in another way from now on, as if it had been built so. */
  configure(reading: Reading): void;
  /** Smoothed score that makes a label present, 0 to 1. */
  threshold(): number;
  setThreshold(enter: number): void;
  /** Limits the rate at which frames are looked at; null lifts the limit. */
  limitRate(fps: number | null): void;
  /** The board is too hot even for the governor's floor: a camera that may takes stills instead. */
  keepCool(on: boolean): void;
  /**
   * Takes a picture in a size of its own, for which the stream pauses; null when the camera has no
   * such size. Rejects with MND_CAMERA_… errors, also while the camera is disabled.
   */
  picture(): Promise<Uint8Array> | null;
  /** The result with short label names, without labels this camera does not keep. */
  filter(result: Result): Result;
  start(): void;
  stop(): Promise<void>;
}

const SWITCHED_OFF = 'switched off by a command';
const MINUTE_MS = 60_000;
/** Frames that a source whose rate is limited delivers in the time after which it has stalled. */
const FRAMES_A_STALL = 2;

export function createCameraUnit(options: CameraUnitOptions): CameraUnit {
  const { name, slot, presence, meter, schedule } = options;
  let reading: Reading = options;
  const wallTime = options.wallTime ?? Date.now;
  const clock = options.clock ?? systemClock;
  const ending = new AbortController();
  let source: { readonly status: CameraStatus; readonly reason: string | null } = {
    status: 'offline',
    reason: 'not started',
  };
  let running: Promise<void> | null = null;
  let cancelLook = (): void => {};
  let limit: number | null = null;
  let enabled = true;
  let cool = false;
  let { enter } = options.presenceOptions.stream;
  /** Scores that can matter: lower than configured when the threshold was lowered from outside. */
  let floor = options.threshold;

  const shown = () =>
    enabled || source.status === 'disabled'
      ? source
      : { status: 'disabled' as const, reason: SWITCHED_OFF };
  const show = (): void => options.onStatus(shown().status, shown().reason);

  const director: Director = createDirector({
    supervise: (mode, signal, onStatus) =>
      options.supervise(mode, signal, (frame) => slot.put(frame), onStatus, sourceRate),
    onStatus(status, reason) {
      source = { status, reason };
      show();
    },
  });

  function runningMode(): RunningMode {
    if (options.capture !== 'auto') return options.capture;
    return cool ? 'still' : 'stream';
  }

  /** Follows the schedule; looked at once a minute, so that a clock that is set matters at once. */
  function direct(): void {
    if (schedule === null || schedule.isOpen(wallTime())) director.set(runningMode());
    else director.set('off', `outside its schedule: ${schedule.text}`);
  }

  function followSchedule(): void {
    direct();
    if (schedule === null) return;
    cancelLook = clock.setTimer(followSchedule, MINUTE_MS - (wallTime() % MINUTE_MS) + 1);
  }

  const fps = (): number => options.fps[runningMode()];
  const rate = (): number => Math.min(fps(), limit ?? Number.POSITIVE_INFINITY);
  /** What its source delivers: never so little that it would be taken for one that has stalled. */
  const sourceRate = (): number => {
    const stall = options.stallTimeout[runningMode()];
    return stall === null ? rate() : Math.min(fps(), Math.max(rate(), FRAMES_A_STALL / stall));
  };
  /** Single pictures cost next to nothing: one that has been taken is looked at. */
  const lookRate = (): number => (runningMode() === 'still' ? sourceRate() : rate());
  const isLooked = (): boolean => enabled && director.mode() !== 'off';

  function configurePresence(): void {
    const chosen = reading.presenceOptions[runningMode()];
    const stay = Math.min(chosen.stay, enter);
    floor = Math.min(reading.threshold, stay);
    presence.configure({ ...chosen, enter, stay });
  }

  const lane: Lane = {
    camera: name,
    crop: options.crop,
    take: () => (isLooked() ? slot.take() : null),
    release: (frame) => slot.release(frame),
    interval: () => (lookRate() >= fps() ? 0 : 1000 / lookRate()),
    rate: lookRate,
    threshold: () => floor,
  };

  return {
    name,
    lane,
    presence,
    slot,
    meter,
    get fps() {
      return fps();
    },
    get stallTimeout() {
      return options.stallTimeout[runningMode()];
    },
    status: () => shown().status,
    reason: () => shown().reason,
    enabled: () => enabled,
    setEnabled(on) {
      if (on === enabled) return;
      enabled = on;
      show();
    },
    configure(next) {
      reading = next;
      enter = next.presenceOptions.stream.enter;
      configurePresence();
    },
    threshold: () => enter,
    setThreshold(next) {
      enter = next;
      configurePresence();
    },
    limitRate(next) {
      limit = next;
    },
    keepCool(on) {
      if (on === cool) return;
      cool = on;
      direct();
      configurePresence();
    },
    picture() {
      const { takePicture } = options;
      if (takePicture === null) return null;
      if (!enabled)
        return Promise.reject(codedError('MND_CAMERA_STOPPED', { found: SWITCHED_OFF }));
      return director.borrow(takePicture);
    },
    filter(result) {
      return { ...result, labels: keepLabels(result.labels, reading.labels) };
    },
    start() {
      if (running !== null) return;
      followSchedule();
      running = director.run(ending.signal);
    },
    async stop() {
      cancelLook();
      ending.abort();
      await running;
      slot.close();
    },
  };
}
