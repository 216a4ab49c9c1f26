import { codedError } from '../errors.js';
import { encodedFrame } from '../inference/embed.js';
import type { Engine } from '../inference/engine.js';
import type { Variant } from '../models/variant.js';
import { type Clock, systemClock } from '../time.js';

export interface EmbedderOptions {
  readonly start: () => Promise<Engine>;
  /** Milliseconds without work after which the engine's memory is given back; default 20 s. */
  readonly idleMs?: number;
  readonly clock?: Clock;
}

const IDLE_MS = 20_000;

/** Embeddings of stored pictures, by an engine of its own that is there while it is needed. */
export class Embedder {
  readonly #options: EmbedderOptions;
  readonly #clock: Clock;
  #engine: Promise<Engine> | null = null;
  /** The file of each variant that is loaded: forms of one variant share its name. */
  readonly #loaded = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();
  #cancelIdle = (): void => {};
  #closed = false;

  constructor(options: EmbedderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * The embedding of a whole picture by a variant; requests take turns.
   *
   * @throws MND_IMAGE_INVALID, MND_MODEL_…, MND_TEACH_INVALID for a network that has no embedding
   */
  embed(variant: Variant, jpeg: Uint8Array): Promise<Float32Array> {
    const turn = this.#last.then(() => this.#run(variant, jpeg));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Ends it when what was asked before is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    await this.#release();
  }

  async #run(variant: Variant, jpeg: Uint8Array): Promise<Float32Array> {
    if (this.#closed) throw codedError('MND_INFERENCE_CLOSED');
    this.#cancelIdle();
    try {
      this.#engine ??= this.#options.start();
      const engine = await this.#engine.catch((error: unknown) => {
        this.#engine = null;
        throw error;
      });
      await this.#load(engine, variant);
      const options = { topK: 1, threshold: 1, embedding: true } as const;
      const { embedding } = await engine.run(variant.name, encodedFrame(jpeg, 0), options);
      if (embedding !== undefined) return embedding;
      throw codedError('MND_TEACH_INVALID', {
        subject: variant.name,
        expected: 'a network whose features can be read',
        found: 'one that names pictures only',
        next: 'mobilenetd models pull installs one of the catalogue',
      });
    } finally {
      this.#cancelIdle = this.#clock.setTimer(
        () => void this.#release(),
        this.#options.idleMs ?? IDLE_MS,
      );
    }
  }

  async #load(engine: Engine, variant: Variant): Promise<void> {
    const { name, file } = variant;
    const isThere = engine.loaded().includes(name) && this.#loaded.get(name) === file;
    if (isThere) return;
    await engine.release(name);
    const wanted = { ...variant, embedding: true };
    await engine.load(wanted);
    this.#loaded.set(name, file);
  }

  async #release(): Promise<void> {
    this.#cancelIdle();
    const engine = this.#engine;
    this.#engine = null;
    this.#loaded.clear();
    await engine?.then(
      (open) => open.close(),
      () => {},
    );
  }
}
