import type { Log } from '../../log.js';
import type { Clock } from '../../time.js';
import { createRetainedFile, type RetainedMessage } from './retained-file.js';
import { RetainedLedger } from './retained-ledger.js';

const MAX_TOPICS = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;
const SAVE_MS = 60_000;

export interface RetainedStoreOptions {
  /** Where they outlive a restart; nowhere by default. */
  readonly file?: string;
  /** This board's own topics, which are not kept there. */
  readonly ephemeral?: (topic: string) => boolean;
  readonly maxRetained?: number;
  readonly maxRetainedBytes?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A message to be retained, as it arrives. */
interface Arriving {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: 0 | 1 | 2;
}

/** What is retained, and the file in which that of others outlives the broker. */
export class RetainedStore {
  readonly #clock: Clock;
  readonly #ephemeral: (topic: string) => boolean;
  readonly #file: ReturnType<typeof createRetainedFile> | null;
  readonly #ledger: RetainedLedger;
  #cancelSave: (() => void) | null = null;

  constructor(options: RetainedStoreOptions) {
    const own = options.ephemeral ?? (() => false);
    this.#clock = options.clock;
    this.#ephemeral = own;
    this.#file = options.file === undefined ? null : createRetainedFile(options.file, options.log);
    this.#ledger = new RetainedLedger({
      maxTopics: options.maxRetained ?? MAX_TOPICS,
      maxBytes: options.maxRetainedBytes ?? MAX_BYTES,
      own,
      lasting: (topic) => this.#file !== null && !own(topic),
    });
  }

  /** Notes a message, or its end; false if there is no room for it. */
  admit({ topic, payload, qos }: Arriving): boolean {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (!this.#ledger.admit({ topic, payload: bytes, qos: qos === 0 ? 0 : 1 })) return false;
    if (this.#file !== null && !this.#ephemeral(topic)) {
      this.#cancelSave ??= this.#clock.setTimer(() => this.#save(), SAVE_MS);
    }
    return true;
  }

  /** What there is room for of the file's messages. */
  *restored(unfit: (topic: string) => boolean): Generator<RetainedMessage> {
    for (const message of this.#file?.read() ?? []) {
      if (!unfit(message.topic) && this.#ledger.admit(message)) yield message;
    }
  }

  /** Writes what has changed. */
  close(): void {
    if (this.#cancelSave === null) return;
    this.#cancelSave();
    this.#save();
  }

  #save(): void {
    this.#cancelSave = null;
    this.#file?.write(this.#ledger.lasting());
  }
}
