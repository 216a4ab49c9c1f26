import type { CaptureMode, Director } from '../../camera/director.js';
import { createDirector } from '../../camera/director.js';
import type { Schedule } from '../../camera/schedule.js';
import type { FrameSlot } from '../../camera/slot.js';
import type { CapturedFrame, Frame } from '../../camera/source.js';
import type { CameraStatus } from '../../camera/supervisor.js';
import { codedError } from '../../errors.js';
import type { Result } from '../../inference/result.js';
import type { Presence } from '../../presence/presence.js';
import { type Clock, systemClock } from '../../time.js';
import { keepLabels } from '../line/labels.js';
import type { LineCamera } from '../line/line.js';
import type { Meter } from '../line/meter.js';
import type { LabelRules } from '../options/label-rules.js';
import type { CameraNotices } from './notices.js';

type RunningMode = Exclude<CaptureMode, 'off'>;

export interface CameraOptions extends LabelRules {
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
  readonly crop: LineCamera['crop'];
  /** Supervises the camera's source until the signal is aborted. */
  readonly supervise: (
    mode: RunningMode,
    signal: AbortSignal,
    onFrame: (frame: CapturedFrame) => void,
    onStatus: (status: CameraStatus, reason: string | null) => void,
    /** Frames a second that are wanted of it now, and that a stream is asked for. */
    rate: () => number,
    streamFps: () => number,
  ) => Promise<void>;
  /** Its stream can be asked for fewer frames, and heats this board. */
  readonly canSlow?: boolean;
  /** Takes a picture of its own, while the source is stopped; null when the camera cannot. */
  readonly takePicture: ((signal: AbortSignal) => Promise<Uint8Array>) | null;
  /** What its source refused or found odd since the start. */
  readonly notices: CameraNotices;
  readonly onStatus: (status: CameraStatus, reason: string | null) => void;
  readonly clock?: Clock;
}

const SWITCHED_OFF = 'switched off by a command';
const MINUTE_MS = 60_000;
/** Frames that a source whose rate is limited delivers in the time after which it has stalled. */
const FRAMES_A_STALL = 2;
/** No stream is asked for less, frames a second. */
const LEAST_STREAM = 1;

/** One camera of the daemon: its source, its slot and its presence. */
export class Camera implements LineCamera {
  readonly name: string;
  readonly presence: Presence;
  readonly slot: FrameSlot;
  readonly meter: Meter;
  /** What its source refused or found odd since the start; it works all the same. */
  readonly notices: CameraNotices;
  readonly crop: LineCamera['crop'];
  readonly #options: CameraOptions;
  readonly #clock: Clock;
  readonly #director: Director;
  readonly #ending = new AbortController();
  #rules: LabelRules;
  #source: { readonly status: CameraStatus; readonly reason: string | null } = {
    status: 'offline',
    reason: 'not started',
  };
  #running: Promise<void> | null = null;
  #cancelLook = (): void => {};
  #rateLimit: number | null = null;
  #enabled = true;
  #cool = false;
  #part = 1;
  #enter: number;
  /** Scores that can matter: lower than configured when the threshold was lowered from outside. */
  #leastScore: number;

  constructor(options: CameraOptions) {
    this.name = options.name;
    this.presence = options.presence;
    this.slot = options.slot;
    this.meter = options.meter;
    this.notices = options.notices;
    this.crop = options.crop;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#rules = options;
    this.#enter = options.presenceOptions.stream.enter;
    this.#leastScore = options.leastScore;
    this.#director = createDirector({
      supervise: (mode, signal, onStatus) =>
        options.supervise(
          mode,
          signal,
          (frame) => this.slot.put(frame),
          onStatus,
          () => this.#sourceRate(),
          () => this.streamFps(),
        ),
      onStatus: (status, reason) => {
        this.#source = { status, reason };
        this.#tellStatus();
      },
    });
  }

  /** Frames a second asked for, in the way it is read now. */
  get fps(): number {
    return this.#options.fps[this.#mode()];
  }

  /** Seconds without a frame after which the source is restarted; null: never. */
  get stallTimeout(): number | null {
    return this.#options.stallTimeout[this.#mode()];
  }

  /** Its status as others see it. */
  status(): CameraStatus {
    return this.#visible().status;
  }

  /** Why it is not online; null when it is. */
  reason(): string | null {
    return this.#visible().reason;
  }

  /** False while it has been switched off from outside: it runs, but nobody looks. */
  enabled(): boolean {
    return this.#enabled;
  }

  setEnabled(on: boolean): void {
    if (on === this.#enabled) return;
    this.#enabled = on;
    this.#tellStatus();
  }

  /** Judges results by other rules from now on, as if it had been built so. */
  configure(rules: LabelRules): void {
    this.#rules = rules;
    this.#enter = rules.presenceOptions.stream.enter;
    this.#configurePresence();
  }

  /** Smoothed score that makes a label present, 0 to 1. */
  threshold(): number {
    return this.#enter;
  }

  /** The threshold as the configuration has it, whatever is set at run time. */
  configuredThreshold(): number {
    return this.#rules.presenceOptions.stream.enter;
  }

  setThreshold(enter: number): void {
    this.#enter = enter;
    this.#configurePresence();
  }

  /** Limits the rate at which frames are looked at; null lifts the limit. */
  limitRate(fps: number | null): void {
    this.#rateLimit = fps;
  }

  /** The board is too hot even for the governor's floor: a camera that may takes stills instead. */
  keepCool(on: boolean): void {
    if (on === this.#cool) return;
    this.#cool = on;
    this.#direct();
    this.#configurePresence();
  }

  /** Asks its stream for a part of its frames, 0 to 1; a camera that cannot, or elsewhere, keeps its rate. */
  slowStream(part: number): void {
    if (this.#options.canSlow !== true || part === this.#part) return;
    const before = this.streamFps();
    this.#part = part;
    if (this.#director.mode() === 'stream' && this.streamFps() !== before) this.#director.restart();
  }

  /** Frames a second that its stream is asked for. */
  streamFps(): number {
    const { stream } = this.#options.fps;
    if (this.#part >= 1) return stream;
    return Math.min(stream, Math.max(LEAST_STREAM, Math.ceil(stream * this.#part)));
  }

  /**
   * Takes a picture in a size of its own, for which the stream pauses; null when the camera has no
   * such size. Rejects with MND_CAMERA_… errors, also while the camera is disabled.
   */
  picture(): Promise<Uint8Array> | null {
    const { takePicture } = this.#options;
    if (takePicture === null) return null;
    if (!this.#enabled) {
      return Promise.reject(codedError('MND_CAMERA_STOPPED', { found: SWITCHED_OFF }));
    }
    return this.#director.exclusively(takePicture);
  }

  filter(result: Result): Result {
    return { ...result, labels: keepLabels(result.labels, this.#rules.labels) };
  }

  take(): Frame | null {
    return this.#enabled && this.#director.mode() !== 'off' ? this.slot.take() : null;
  }

  release(frame: Frame): void {
    this.slot.release(frame);
  }

  interval(): number {
    return this.rate() >= this.fps ? 0 : 1000 / this.rate();
  }

  /** Single pictures cost next to nothing: one that has been taken is looked at. */
  rate(): number {
    return this.#mode() === 'still' ? this.#sourceRate() : this.#limitedRate();
  }

  leastScore(): number {
    return this.#leastScore;
  }

  isStopped(): boolean {
    return this.#ending.signal.aborted;
  }

  start(): void {
    if (this.#running !== null) return;
    this.#followSchedule();
    this.#running = this.#director.run(this.#ending.signal);
  }

  async stop(): Promise<void> {
    this.#cancelLook();
    this.#ending.abort();
    await this.#running;
    this.slot.close();
  }

  #visible(): { readonly status: CameraStatus; readonly reason: string | null } {
    if (this.#enabled || this.#source.status === 'disabled') return this.#source;
    return { status: 'disabled', reason: SWITCHED_OFF };
  }

  #tellStatus(): void {
    const { status, reason } = this.#visible();
    this.#options.onStatus(status, reason);
  }

  #mode(): RunningMode {
    if (this.#options.capture !== 'auto') return this.#options.capture;
    return this.#cool ? 'still' : 'stream';
  }

  /** Follows the schedule; looked at once a minute, so that a clock that is set matters at once. */
  #direct(): void {
    const { schedule } = this.#options;
    if (schedule === null || schedule.isOpen(this.#clock.wall())) this.#director.set(this.#mode());
    else this.#director.set('off', `outside its schedule: ${schedule.text}`);
  }

  #followSchedule(): void {
    this.#direct();
    if (this.#options.schedule === null) return;
    this.#cancelLook = this.#clock.setTimer(
      () => this.#followSchedule(),
      MINUTE_MS - (this.#clock.wall() % MINUTE_MS) + 1,
    );
  }

  #limitedRate(): number {
    return Math.min(this.fps, this.#rateLimit ?? Number.POSITIVE_INFINITY);
  }

  /** What its source delivers: never so little that it would be taken for one that has stalled. */
  #sourceRate(): number {
    const stall = this.stallTimeout;
    if (stall === null) return this.#limitedRate();
    return Math.min(this.fps, Math.max(this.#limitedRate(), FRAMES_A_STALL / stall));
  }

  #configurePresence(): void {
    const chosen = this.#rules.presenceOptions[this.#mode()];
    const stay = Math.min(chosen.stay, this.#enter);
    this.#leastScore = Math.min(this.#rules.leastScore, stay);
    this.presence.configure({ ...chosen, enter: this.#enter, stay });
  }
}
