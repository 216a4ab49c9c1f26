import { codedError } from '../errors.js';
import { EMBEDDING_OUTPUT, sidesOf, type Variant } from '../models/variant.js';
import { checkClasses, checkModel, openSession, type Session } from './model.js';
import { createPostprocessor, type Postprocessor } from './postprocess.js';
import { ort } from './runtime.js';

/** A variant that can run: its session, and the tensors that every run of it reuses. */
export interface LoadedVariant {
  readonly variant: Variant;
  /** Network input, NHWC [1, height, width, 3]. */
  readonly pixels: Uint8Array;
  readonly postprocessor: Postprocessor;
  /** Runs the network on `pixels`; the outputs stay valid until the next run of this variant. */
  infer(): Promise<Readonly<Record<string, ort.Tensor>>>;
  /** A copy of the embedding among outputs; null for a variant that was loaded without. */
  embeddingOf(outputs: Readonly<Record<string, ort.Tensor>>): Float32Array | null;
}

export interface SessionPool {
  /** Loads a variant and runs it once; a variant that is loaded is only marked as used. */
  load(variant: Variant): Promise<void>;
  /** @throws MND_INFERENCE_FAILED when the variant is not loaded */
  use(name: string): LoadedVariant;
  /** Forgets a variant; the session ends with the last variant that uses it. */
  release(name: string): Promise<void>;
  names(): string[];
  /** Sessions that are loaded. */
  size(): number;
  close(): Promise<void>;
}

interface LoadedSession {
  readonly key: string;
  readonly session: Session;
  readonly variants: Map<string, LoadedVariant>;
}

/** Two variants that are being mixed, and the next. */
export const MAX_SESSIONS = 3;

/** Owns the sessions, the most recently used one last; variants of one file share theirs. */
export function createSessionPool(threads: number): SessionPool {
  let sessions: LoadedSession[] = [];

  function sessionOf(name: string): LoadedSession | undefined {
    return sessions.find((entry) => entry.variants.has(name));
  }

  function touch(entry: LoadedSession): void {
    if (sessions.at(-1) === entry) return;
    sessions = [...sessions.filter((other) => other !== entry), entry];
  }

  async function drop(entry: LoadedSession): Promise<void> {
    sessions = sessions.filter((other) => other !== entry);
    entry.variants.clear();
    await entry.session.release();
  }

  /** Takes a variant out of every session but `except`. */
  async function forget(name: string, except: LoadedSession | null): Promise<void> {
    for (const entry of [...sessions]) {
      if (entry === except || !entry.variants.delete(name)) continue;
      if (entry.variants.size === 0) await drop(entry);
    }
  }

  async function open(variant: Variant): Promise<void> {
    const session = await openSession(variant, variant.threads ?? threads);
    try {
      const loaded = await prepare(session, variant);
      const variants = new Map([[variant.name, loaded]]);
      sessions.push({ key: keyOf(variant), session, variants });
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  return {
    async load(variant) {
      const shared = sessions.find((entry) => entry.key === keyOf(variant));
      if (shared === undefined) {
        await open(variant);
      } else {
        const present = shared.variants.get(variant.name);
        if (present === undefined || !readsAlike(present.variant, variant)) {
          shared.variants.set(variant.name, await prepare(shared.session, variant));
        }
        touch(shared);
      }
      await forget(variant.name, sessions.at(-1) ?? null);
      // Only now: until the new one could run, nothing that runs was given up.
      while (sessions.length > MAX_SESSIONS) await drop(sessions[0] as LoadedSession);
    },
    use(name) {
      const entry = sessionOf(name);
      const loaded = entry?.variants.get(name);
      if (entry === undefined || loaded === undefined) {
        throw codedError('MND_INFERENCE_FAILED', {
          subject: name,
          expected: 'a variant that is loaded',
          found: sessions.flatMap(({ variants }) => [...variants.keys()]).join(', ') || 'none',
        });
      }
      touch(entry);
      return loaded;
    },
    release: (name) => forget(name, null),
    names: () => sessions.flatMap(({ variants }) => [...variants.keys()]),
    size: () => sessions.length,
    async close() {
      for (const entry of [...sessions]) await drop(entry);
    },
  };
}

/** Whether what is prepared for one serves the other: the same pixels, and scores on the same scale. */
function readsAlike(one: Variant, other: Variant): boolean {
  return one.size === other.size && (one.temperature ?? 1) === (other.temperature ?? 1);
}

function keyOf(variant: Variant): string {
  const { sha256, file, threads, embedding, keptClasses } = variant;
  return `${sha256}:${file}:${threads ?? ''}:${embedding === true ? 'embedding' : ''}:${keptClasses?.join() ?? ''}`;
}

/** Checks the session against the variant and runs it once: the first run allocates. */
async function prepare(session: Session, variant: Variant): Promise<LoadedVariant> {
  checkModel(session, variant);
  const [height, width] = sidesOf(variant.input, variant.size);
  const pixels = new Uint8Array(height * width * 3);
  const feeds = { [variant.input.name]: new ort.Tensor('uint8', pixels, [1, height, width, 3]) };
  const outputs = await firstRun(session, variant, feeds);
  if (variant.head.kind === 'classifier') checkClasses(variant, outputs[variant.head.logits.name]);
  const postprocessor = createPostprocessor(variant);
  if (variant.head.kind !== 'classifier') {
    // Holds every output's length against the head; what it finds on an empty picture is not used.
    postprocessor(outputs, { topK: 1, threshold: 1 }, [0, 0, width, height]);
  }
  return {
    variant,
    pixels,
    postprocessor,
    async infer() {
      // The outputs of the first run are written anew by every other.
      await session.run(feeds, outputs);
      return outputs;
    },
    embeddingOf(outputs) {
      if (variant.embedding !== true) return null;
      const data = outputs[EMBEDDING_OUTPUT]?.data;
      if (data instanceof Float32Array && data.every(Number.isFinite)) return data.slice();
      throw codedError('MND_INFERENCE_FAILED', {
        subject: variant.name,
        expected: 'a finite embedding',
        next: `install ${variant.model} again`,
      });
    },
  };
}

async function firstRun(
  session: Session,
  variant: Variant,
  feeds: Record<string, ort.Tensor>,
): Promise<Record<string, ort.Tensor>> {
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).flatMap(([name, value]) =>
        value instanceof ort.Tensor ? [[name, value]] : [],
      ),
    );
  } catch (error) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: variant.file,
      expected: `a model that runs at ${variant.size}×${variant.size} pixels`,
      found: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
}
