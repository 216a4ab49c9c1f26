import type { Frame } from '../camera/source.js';
import type { ErrorCode } from '../errors.js';
import { systemClock } from '../time.js';
import { type CropRegion, stretchCrop } from '../vision/crop.js';
import { median } from './median.js';
import { createPreprocessor, type Pixels } from './preprocess.js';
import {
  type Answer,
  type CallKind,
  type Calls,
  type ProfileOptions,
  packAnswer,
  type Request,
  type RunCost,
  type RunOptions,
  toWire,
} from './protocol.js';
import { loadResize } from './resize.js';
import type { Result, ScoredLabel } from './result.js';
import { createSessionPool, type SessionPool } from './sessions.js';

/** What the worker thread does, without the thread. */
export interface InferenceService {
  /** Answers one request after those before it; never rejects. */
  handle(request: Request): Promise<Answer>;
}

/** Codes of failures that carry none: what the request was about decides. */
const FALLBACK_CODES: Readonly<Record<CallKind, ErrorCode>> = {
  load: 'MND_MODEL_INVALID',
  run: 'MND_INFERENCE_FAILED',
  release: 'MND_INFERENCE_FAILED',
  profile: 'MND_INFERENCE_FAILED',
  memory: 'MND_INFERENCE_FAILED',
  shutdown: 'MND_INFERENCE_FAILED',
};

/** @param threads of one inference, at least 1 */
export function createInferenceService(threads: number): InferenceService {
  const sessions = createSessionPool(threads);
  const look = createFrameRunner(sessions);
  let last: Promise<unknown> = Promise.resolve();

  async function perform(request: Request): Promise<Calls[CallKind]['answer']> {
    switch (request.kind) {
      case 'load': {
        const started = systemClock.now();
        await sessions.load(request.variant);
        return { ms: systemClock.now() - started, loaded: sessions.names() };
      }
      case 'run':
        return packAnswer(await look(request.name, request.frame, request.options));
      case 'release':
        await sessions.release(request.name);
        return { loaded: sessions.names() };
      case 'profile':
        return measure(sessions, request.name, request.options);
      case 'memory': {
        const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
        return { rss, heapUsed, external, arrayBuffers, sessions: sessions.size() };
      }
      case 'shutdown':
        await sessions.close();
        return { loaded: [] };
    }
  }

  async function answer(request: Request): Promise<Answer> {
    try {
      return { id: request.id, ok: true, value: await perform(request) };
    } catch (error) {
      return { id: request.id, ok: false, error: toWire(error, FALLBACK_CODES[request.kind]) };
    }
  }

  return {
    handle(request) {
      const turn = last.then(() => answer(request));
      last = turn;
      return turn;
    },
  };
}

/** The frame path: unpack, resize, infer, read the outputs; timed stage by stage. */
export function createFrameRunner(
  sessions: SessionPool,
): (name: string, frame: Frame, options: RunOptions) => Promise<Result> {
  const preprocessor = createPreprocessor(loadResize().resize);
  return async (name, frame, options) => {
    const loaded = sessions.use(name);
    const { variant } = loaded;
    const started = systemClock.now();
    const pixels = await preprocessor.unpack(frame);
    const unpacked = systemClock.now();
    const crop = preprocessor.fill(pixels, cropFor(options, pixels), variant, loaded.pixels);
    const filled = systemClock.now();
    const outputs = await loaded.infer();
    const inferred = systemClock.now();
    const embedding = options.embedding === true ? loaded.embeddingOf(outputs) : null;
    const labels = loaded
      .postprocessor(outputs, options, crop)
      .map((label) => enlarged(label, pixels.reduction));
    return {
      camera: frame.camera,
      sequence: frame.sequence,
      capturedAt: frame.capturedAt,
      time: frame.time,
      model: variant.name,
      alpha: variant.alpha,
      size: variant.size,
      ...(frame.format === 'jpeg' && { picture: sidesOf(pixels) }),
      timings: {
        decode: frame.format === 'jpeg' ? unpacked - started : 0,
        preprocess: filled - unpacked,
        inference: inferred - filled,
        postprocess: systemClock.now() - inferred,
      },
      labels,
      ...(embedding !== null && { embedding }),
    };
  };
}

/** Of the picture as it came, however small it was decoded. */
function sidesOf({ layout, reduction }: Pixels): readonly [width: number, height: number] {
  return [Math.round(layout.width * reduction), Math.round(layout.height * reduction)];
}

/** A label whose box is in the frame's own pixels, however small the frame was decoded. */
function enlarged(label: ScoredLabel, reduction: number): ScoredLabel {
  const { box } = label;
  if (box === null || reduction === 1) return label;
  const [x, y, width, height] = box;
  return {
    ...label,
    box: [x * reduction, y * reduction, width * reduction, height * reduction],
  };
}

function cropFor({ crop = null, cropOf }: RunOptions, { layout }: Pixels): CropRegion | null {
  if (crop === null || cropOf === undefined) return crop;
  return stretchCrop(crop, cropOf, layout.width, layout.height);
}

/** Runs a variant on what its input holds; other work of the process shows up in `cpuMs`. */
async function measure(
  sessions: SessionPool,
  name: string,
  options: ProfileOptions,
): Promise<RunCost> {
  const loaded = sessions.use(name);
  for (let i = 0; i < options.warmup; i += 1) await loaded.infer();
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < options.runs; i += 1) {
    const started = systemClock.now();
    await loaded.infer();
    times.push(systemClock.now() - started);
  }
  const { user, system } = process.cpuUsage(before);
  return {
    medianMs: median(times),
    minMs: Math.min(...times),
    cpuMs: (user + system) / 1000 / options.runs,
    runs: options.runs,
  };
}
