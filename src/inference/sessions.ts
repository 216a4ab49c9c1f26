import { codedError } from '../errors.js';
import type { Variant } from '../models/variant.js';
import { checkClasses, checkModel, openSession, type Session } from './model.js';
import { createPostprocessor, type Postprocessor } from './postprocess.js';
import { ort } from './runtime.js';

/** A variant that can run: its session, and the tensors that every run of it reuses. */
export interface LoadedVariant {
  readonly variant: Variant;
  /** Network input, NHWC [1, size, size, 3]. */
  readonly pixels: Uint8Array;
  readonly postprocessor: Postprocessor;
  /** Runs the network on `pixels`; the outputs stay valid until the next run of this variant. */
  infer(): Promise<Readonly<Record<string, ort.Tensor>>>;
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

interface Seat {
  readonly key: string;
  readonly session: Session;
  readonly variants: Map<string, LoadedVariant>;
}

/** Two variants that are being mixed, and the next. */
export const MAX_SESSIONS = 3;

/** Owns the sessions, the most recently used one last; variants of one file share theirs. */
export function createSessionPool(threads: number): SessionPool {
  let seats: Seat[] = [];

  function seatOf(name: string): Seat | undefined {
    return seats.find((seat) => seat.variants.has(name));
  }

  function touch(seat: Seat): void {
    if (seats.at(-1) === seat) return;
    seats = [...seats.filter((other) => other !== seat), seat];
  }

  async function drop(seat: Seat): Promise<void> {
    seats = seats.filter((other) => other !== seat);
    seat.variants.clear();
    await seat.session.release();
  }

  /** Takes a variant out of every session but `except`. */
  async function forget(name: string, except: Seat | null): Promise<void> {
    for (const seat of [...seats]) {
      if (seat === except || !seat.variants.delete(name)) continue;
      if (seat.variants.size === 0) await drop(seat);
    }
  }

  async function open(variant: Variant): Promise<void> {
    const session = await openSession(variant, variant.threads ?? threads);
    try {
      const loaded = await prepare(session, variant);
      const variants = new Map([[variant.name, loaded]]);
      seats.push({ key: keyOf(variant), session, variants });
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  return {
    async load(variant) {
      const shared = seats.find((seat) => seat.key === keyOf(variant));
      if (shared === undefined) {
        await open(variant);
      } else {
        const present = shared.variants.get(variant.name);
        if (present?.variant.size !== variant.size) {
          shared.variants.set(variant.name, await prepare(shared.session, variant));
        }
        touch(shared);
      }
      await forget(variant.name, seats.at(-1) ?? null);
      // Only now: until the new one could run, nothing that runs was given up.
      while (seats.length > MAX_SESSIONS) await drop(seats[0] as Seat);
    },
    use(name) {
      const seat = seatOf(name);
      const loaded = seat?.variants.get(name);
      if (seat === undefined || loaded === undefined) {
        throw codedError('MND_INFERENCE_FAILED', {
          subject: name,
          expected: 'a variant that is loaded',
          found: seats.flatMap(({ variants }) => [...variants.keys()]).join(', ') || 'none',
        });
      }
      touch(seat);
      return loaded;
    },
    release: (name) => forget(name, null),
    names: () => seats.flatMap(({ variants }) => [...variants.keys()]),
    size: () => seats.length,
    async close() {
      for (const seat of [...seats]) await drop(seat);
    },
  };
}

function keyOf(variant: Variant): string {
  return `${variant.sha256}:${variant.file}:${variant.threads ?? ''}`;
}

/** Checks the session against the variant and runs it once: the first run allocates. */
async function prepare(session: Session, variant: Variant): Promise<LoadedVariant> {
  checkModel(session, variant);
  const { size } = variant;
  const pixels = new Uint8Array(size * size * 3);
  const feeds = { [variant.input.name]: new ort.Tensor('uint8', pixels, [1, size, size, 3]) };
  const outputs = await firstRun(session, variant, feeds);
  if (variant.head.kind === 'classifier') checkClasses(variant, outputs[variant.head.logits.name]);
  const postprocessor = createPostprocessor(variant);
  if (variant.head.kind === 'ssd') {
    // Holds every output's length against the head; what it finds on an empty picture is not used.
    postprocessor(outputs, { topK: 1, threshold: 1 }, [0, 0, size, size]);
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
