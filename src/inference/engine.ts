import { systemClock } from '../time.js';
import './telemetry.js';
import { Worker } from 'node:worker_threads';
import type { Frame } from '../camera/source.js';
import { codedError, messageOf } from '../errors.js';
import type { Variant } from '../models/variant.js';
import { createFrameShare } from './frame-share.js';
import {
  type Answer,
  type CallKind,
  type Calls,
  type EngineMemory,
  fromWire,
  GREETING_ID,
  type ProfileOptions,
  type Request,
  type RunCost,
  type RunOptions,
  unpackAnswer,
} from './protocol.js';
import type { Result } from './result.js';

export type { EngineMemory, ProfileOptions, RunCost, RunOptions } from './protocol.js';

export interface EngineOptions {
  /** Threads of one inference, a whole number of at least 1. */
  readonly threads: number;
  /** How much other threads of the process go before it, 0 to 19 (see nice(7)); default 0. */
  readonly nice?: number;
  /** Called once when the worker dies by itself; start another engine then. */
  readonly onFault?: (error: Error) => void;
  /** The worker's file; tests pass one that breaks. */
  readonly worker?: URL;
  /** Milliseconds that `close` waits before it kills the worker. */
  readonly closeTimeout?: number;
}

/**
 * The networks, in a worker thread of their own. Requests are answered in the order they were made.
 * After a fault or `close` every request fails with MND_INFERENCE_CLOSED.
 */
export interface Engine {
  /**
   * Loads a variant, checks it and runs it once. At most three files stay loaded: the least
   * recently used one is released for a fourth. Variants of one file share its memory.
   *
   * @returns `ms` it took
   * @throws MND_MODEL_MISSING, MND_MODEL_INVALID, MND_MODEL_MISMATCH, MND_LABELS_INVALID
   */
  load(variant: Variant): Promise<{ ms: number }>;
  /**
   * Runs a loaded variant on a frame. Bytes in a SharedArrayBuffer are read in place, so they must
   * stay as they are until the promise settles; others are copied before this returns.
   *
   * @throws MND_INFERENCE_FAILED (not loaded, busy, or the network failed), MND_FRAME_INVALID,
   *   MND_IMAGE_INVALID
   */
  run(variantName: string, frame: Frame, options: RunOptions): Promise<Result>;
  /** Forgets a variant; one that is not loaded is no error. */
  release(variantName: string): Promise<void>;
  /** Names of the variants that can run now. */
  loaded(): readonly string[];
  /** Measures inferences of a loaded variant; frames wait meanwhile. */
  profile(variantName: string, options: ProfileOptions): Promise<RunCost>;
  memory(): Promise<EngineMemory>;
  /** Answers what was asked before, releases everything and ends the worker. */
  close(): Promise<void>;
}

interface Pending {
  resolve(value: Calls[CallKind]['answer']): void;
  reject(error: Error): void;
}

/** Requests that may wait for the worker; the daemon has one frame in flight. */
const MAX_PENDING = 32;
const CLOSE_TIMEOUT_MS = 3000;

/**
 * Starts the worker thread and waits until onnxruntime is loaded.
 *
 * @throws MND_INFERENCE_FAILED when onnxruntime cannot be loaded
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  if (!Number.isInteger(options.threads) || options.threads < 1) {
    throw codedError('MND_INTERNAL', {
      subject: 'inference threads',
      expected: 'a whole number of at least 1',
      found: String(options.threads),
    });
  }
  const channel = await openChannel(options);
  const frames = createFrameShare();
  let loaded: readonly string[] = [];
  const variants = new Map<string, Variant>();

  return {
    async load(variant) {
      const answer = await channel.call('load', { variant });
      loaded = answer.loaded;
      for (const name of variants.keys()) if (!loaded.includes(name)) variants.delete(name);
      variants.set(variant.name, variant);
      return { ms: answer.ms };
    },
    async run(name, frame, { topK, threshold, crop = null, cropOf, embedding }) {
      const shared = frames.share(frame);
      try {
        const options = { topK, threshold, crop, cropOf, embedding };
        const request = { name, frame: shared.frame, options };
        const variant = variants.get(name);
        const answer = await channel.call('run', request);
        // One that was not loaded has failed.
        return unpackAnswer(answer, frame, variant as Variant);
      } finally {
        shared.done();
      }
    },
    async release(name) {
      loaded = (await channel.call('release', { name })).loaded;
    },
    loaded: () => (channel.open() ? loaded : []),
    profile: (name, profile) => channel.call('profile', { name, options: profile }),
    memory: () => channel.call('memory', {}),
    close: () => channel.close(),
  };
}

interface Channel {
  call<Kind extends CallKind>(
    kind: Kind,
    request: Calls[Kind]['request'],
  ): Promise<Calls[Kind]['answer']>;
  open(): boolean;
  close(): Promise<void>;
}

/** Starts the worker and keeps the requests that it has not answered. */
async function openChannel(options: EngineOptions): Promise<Channel> {
  const worker = new Worker(options.worker ?? new URL('./worker.js', import.meta.url), {
    workerData: { threads: options.threads, nice: options.nice ?? 0 },
    name: 'inference',
  });
  const pending = new Map<number, Pending>();
  let lastId = GREETING_ID;
  let state: 'starting' | 'open' | 'closing' | 'closed' = 'starting';
  let closing: Promise<void> | null = null;
  let fault: Error | null = null;

  const exited = new Promise<void>((resolve) => {
    worker.once('exit', (status) => {
      const before = state;
      state = 'closed';
      const reason = fault ?? closedError(`the worker ended with status ${status}`);
      failAll(before === 'closing' ? closedError('it was closed') : reason);
      resolve();
      if (before === 'open') options.onFault?.(reason);
    });
  });
  // An exit follows every error; it alone reports the fault.
  worker.on('error', (error) => {
    fault = closedError(`the worker failed: ${messageOf(error)}`, error);
  });
  worker.on('messageerror', (error) => {
    fault = closedError(`an unreadable answer: ${error.message}`, error);
    void worker.terminate();
  });
  worker.on('message', (answer: Answer) => {
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(fromWire(answer.error));
  });

  function failAll(error: Error): void {
    const waiting = [...pending.values()];
    pending.clear();
    for (const { reject } of waiting) reject(error);
  }

  function expect<Kind extends CallKind>(id: number): Promise<Calls[Kind]['answer']> {
    return new Promise((resolve, reject) => {
      // The worker answers a request of this kind with this kind's answer (see Calls).
      pending.set(id, { resolve: resolve as Pending['resolve'], reject });
    });
  }

  function send<Kind extends CallKind>(
    kind: Kind,
    request: Calls[Kind]['request'],
  ): Promise<Calls[Kind]['answer']> {
    lastId += 1;
    const answer = expect<Kind>(lastId);
    worker.postMessage({ id: lastId, kind, ...request } as unknown as Request);
    return answer;
  }

  async function shutDown(): Promise<void> {
    const cancel = systemClock.setTimer(
      () => void worker.terminate(),
      options.closeTimeout ?? CLOSE_TIMEOUT_MS,
    );
    // A worker that dies instead of answering has ended as well.
    await send('shutdown', {}).catch(() => {});
    await exited;
    cancel();
  }

  try {
    await expect(GREETING_ID);
    state = 'open';
  } catch (error) {
    await worker.terminate();
    throw codedError('MND_INFERENCE_FAILED', {
      subject: 'onnxruntime',
      found: messageOf(error),
      next: 'install mobilenetd again for this machine',
      cause: error,
    });
  }

  return {
    async call(kind, request) {
      if (state !== 'open') throw fault ?? closedError('it was closed');
      if (pending.size >= MAX_PENDING) {
        throw codedError('MND_INFERENCE_FAILED', {
          subject: kind,
          expected: `at most ${MAX_PENDING} requests at a time`,
          next: 'wait for an answer before asking again',
        });
      }
      return send(kind, request);
    },
    open: () => state === 'open',
    close() {
      if (closing !== null) return closing;
      if (state === 'closed') return exited;
      state = 'closing';
      closing = shutDown();
      return closing;
    },
  };
}

function closedError(found: string, cause?: unknown): Error {
  return codedError('MND_INFERENCE_CLOSED', { found, cause });
}
