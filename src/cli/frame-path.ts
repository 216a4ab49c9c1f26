import { createSlot } from '../camera/slot.js';
import type { CapturedFrame, PixelFormat } from '../camera/source.js';
import type { Engine, RunOptions } from '../inference/engine.js';
import { median } from '../inference/median.js';
import type { Presence } from '../presence/presence.js';
import type { Store } from '../store/store.js';
import { systemClock } from '../time.js';

/** What the frame path is made of, ready to run. */
export interface FramePath {
  readonly engine: Engine;
  /** Name of the loaded variant. */
  readonly variant: string;
  readonly options: RunOptions;
  readonly presence: Presence;
  readonly store: Store;
}

/** Milliseconds of one frame, by stage, in the order a frame meets them. */
export interface StageTimes {
  /** Copying the frame into shared memory. */
  readonly slot: number;
  /** Messages to the worker thread and back. */
  readonly handover: number;
  readonly decode: number;
  readonly preprocess: number;
  readonly inference: number;
  readonly postprocess: number;
  readonly presence: number;
  /** Detections and events into the database. */
  readonly store: number;
}

export interface FramePathCost {
  readonly format: PixelFormat;
  /** Frames measured. */
  readonly frames: number;
  /** Median of each stage. */
  readonly stages: StageTimes;
  /** Median of whole frames. */
  readonly total: number;
  /** Share of a frame's time that is not inference, 0 to 1. */
  readonly outside: number;
}

/** Rounds before measuring: compilers and caches warm up. */
const WARMUP_ROUNDS = 20;

/**
 * Sends frames through the whole path, one after the other, the formats in turn: what slows the
 * machine for a moment slows all of them.
 *
 * @param rounds frames measured of each format, at least 1
 */
export async function measureFramePath(
  path: FramePath,
  frames: readonly CapturedFrame[],
  rounds: number,
  signal: AbortSignal,
): Promise<FramePathCost[]> {
  const lanes = frames.map((frame) => ({
    frame,
    slot: createSlot({ camera: `bench-${frame.format}` }),
    times: [] as StageTimes[],
  }));
  for (let round = 0; round < WARMUP_ROUNDS + rounds; round += 1) {
    for (const { frame, slot, times } of lanes) {
      signal.throwIfAborted();
      const stages = await lookAt(path, frame, slot);
      if (round >= WARMUP_ROUNDS) times.push(stages);
    }
  }
  return lanes.map(({ frame, times }) => costOf(frame.format, times));
}

async function lookAt(
  path: FramePath,
  captured: CapturedFrame,
  slot: ReturnType<typeof createSlot>,
): Promise<StageTimes> {
  const started = systemClock.now();
  slot.put(captured);
  const frame = slot.take();
  if (frame === null) throw new Error('the slot lost a frame');
  const taken = systemClock.now();
  const result = await path.engine.run(path.variant, frame, path.options);
  const answered = systemClock.now();
  slot.release(frame);
  const events = path.presence.update(result);
  const present = path.presence.present();
  const folded = systemClock.now();
  path.store.recordResult(result, new Map(present.map(({ label, eventId }) => [label, eventId])));
  if (events.length > 0) path.store.recordEvents(events, []);
  const stored = systemClock.now();
  const { decode, preprocess, inference, postprocess } = result.timings;
  const worked = decode + preprocess + inference + postprocess;
  return {
    slot: taken - started,
    handover: answered - taken - worked,
    decode,
    preprocess,
    inference,
    postprocess,
    presence: folded - answered,
    store: stored - folded,
  };
}

function costOf(format: PixelFormat, times: readonly StageTimes[]): FramePathCost {
  const middle = (stage: keyof StageTimes) => median(times.map((time) => time[stage]));
  const totals = times.map((time) => Object.values(time).reduce((sum, ms) => sum + ms, 0));
  const shares = times.map((time, i) => 1 - time.inference / (totals[i] ?? Number.NaN));
  return {
    format,
    frames: times.length,
    stages: {
      slot: middle('slot'),
      handover: middle('handover'),
      decode: middle('decode'),
      preprocess: middle('preprocess'),
      inference: middle('inference'),
      postprocess: middle('postprocess'),
      presence: middle('presence'),
      store: middle('store'),
    },
    total: median(totals),
    outside: median(shares),
  };
}
