import { messageOf } from '../../errors.js';
import type { CropShelf } from '../../taught/shelf.js';
import { type TaskCounts, tasksOf } from '../../taught/tasks.js';
import { type Clock, systemClock } from '../../time.js';

export interface ShelfReadingOptions {
  readonly shelf: Pick<CropShelf, 'list'>;
  readonly onFault: (error: unknown) => void;
  /** It is time to read again, after a fault. */
  readonly onRetry: () => void;
  readonly clock?: Clock;
}

/** A disk that could not be read is asked again after so long, ms. */
const RETRY_MS = 60_000;

/** What the shelf has. A disk that fails takes nothing away that is known: it is said, and asked again. */
export class ShelfReading {
  readonly #options: ShelfReadingOptions;
  readonly #clock: Clock;
  #tasks: readonly TaskCounts[] = [];
  #fault: string | null = null;
  #cancelRetry = (): void => {};
  #isClosed = false;

  constructor(options: ShelfReadingOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** As they were read last. */
  tasks(): readonly TaskCounts[] {
    return this.#tasks;
  }

  /** Why the pictures cannot be read now; null while they can. */
  fault(): string | null {
    return this.#fault;
  }

  async read(): Promise<void> {
    const { shelf, onFault, onRetry } = this.#options;
    this.#cancelRetry();
    try {
      this.#tasks = tasksOf(await shelf.list());
      this.#fault = null;
    } catch (error) {
      this.#fault = messageOf(error);
      onFault(error);
      if (!this.#isClosed) this.#cancelRetry = this.#clock.setTimer(onRetry, RETRY_MS);
    }
  }

  /** Forgets what it knows, and asks no more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#tasks = [];
  }
}
