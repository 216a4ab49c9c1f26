import { codedError, messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import type { Variant } from '../../models/variant.js';
import { type HeadSurroundings, headOf } from '../../taught/heads.js';
import { taskName, taskText } from '../../taught/task.js';
import type { TaskCounts } from '../../taught/tasks.js';
import type { TrainedHead } from '../../taught/trained.js';
import type { Head } from '../../teach/head.js';

/** How the heads of a task fare. */
export interface HeadsState {
  /** `learning` while those of some variant are still made: what was made before serves meanwhile. */
  readonly state: 'learning' | 'works' | 'fails';
  /** Variants whose head is made, of so many. */
  readonly ready: number;
  readonly of: number;
  /** Why it fails; null while it does not. */
  readonly error: string | null;
}

interface TaskHeads {
  readonly task: TaskCounts['task'];
  state: HeadsState;
  /** By variant; of one whole set of pictures. */
  heads: ReadonlyMap<string, TrainedHead>;
}

export interface LiveHeadsOptions extends HeadSurroundings {
  /** Variants that may look at a task's pictures, those that do now first. */
  readonly variantsFor: (task: TaskCounts['task']) => readonly Variant[];
  /** A whole set is in its place. */
  readonly onReady: () => void;
  readonly log: Log;
}

/**
 * The heads of all tasks for all variants, made in the background. Those of a task change as a set, when the
 * last of them is made: a variant that had learnt something else would make labels flap.
 */
export class LiveHeads {
  readonly #options: LiveHeadsOptions;
  readonly #tasks = new Map<string, TaskHeads>();
  #making: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;

  constructor(options: LiveHeadsOptions) {
    this.#options = options;
  }

  /** Makes the heads of these tasks, and forgets others; what was being made ends. */
  make(tasks: readonly TaskCounts[]): void {
    const before = this.#making;
    before?.abort.abort();
    const names = new Set(tasks.map(({ task }) => taskName(task)));
    for (const name of this.#tasks.keys()) if (!names.has(name)) this.#tasks.delete(name);
    for (const { task } of tasks) {
      const known = this.#tasks.get(taskName(task));
      const state = { state: 'learning', ready: 0, of: 0, error: null } as const;
      this.#tasks.set(taskName(task), { task, heads: known?.heads ?? new Map(), state });
    }
    const abort = new AbortController();
    const done = (before?.done ?? Promise.resolve()).then(() => this.#makeAll(tasks, abort.signal));
    this.#making = { abort, done };
  }

  /** Resolves when nothing is being made. */
  async settled(): Promise<void> {
    for (let last = null; last !== this.#making; ) {
      last = this.#making;
      await last?.done;
    }
  }

  async stop(): Promise<void> {
    this.#making?.abort.abort();
    await this.#making?.done;
  }

  stateOf(name: string): HeadsState | null {
    return this.#tasks.get(name)?.state ?? null;
  }

  /** The heads of a task that serve now, by variant. */
  headsOf(name: string): ReadonlyMap<string, Head> {
    const trained = this.#tasks.get(name)?.heads ?? new Map<string, TrainedHead>();
    return new Map([...trained].map(([variant, { head }]) => [variant, head]));
  }

  /** What a head of a task is worth; null: there is none. */
  trainedOf(name: string, variant: string): TrainedHead | null {
    return this.#tasks.get(name)?.heads.get(variant) ?? null;
  }

  /** What one of its heads is worth, whichever is known. */
  anyOf(name: string): TrainedHead | null {
    const [first = null] = this.#tasks.get(name)?.heads.values() ?? [];
    return first;
  }

  /**
   * What a variant is worth for all that was taught of frames and zones, 0 to 1: the mean; null: nothing is
   * known of it. Objects are looked at by one variant, whatever the governor chooses.
   */
  qualityOf(variant: string): number | null {
    const known = [...this.#tasks.values()].flatMap(({ task, heads }) =>
      task.of === null ? (heads.get(variant)?.quality ?? []) : [],
    );
    return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
  }

  async #makeAll(tasks: readonly TaskCounts[], signal: AbortSignal): Promise<void> {
    for (const counts of tasks) {
      if (signal.aborted) return;
      const name = taskName(counts.task);
      try {
        const heads = await this.#makeSet(name, counts, signal);
        if (signal.aborted) return;
        const of = heads.size;
        const state = { state: 'works', ready: of, of, error: null } as const;
        this.#tasks.set(name, { task: counts.task, heads, state });
        this.#options.log.info(
          { task: name, networks: of },
          `taught: ${taskText(counts.task)} works`,
        );
        this.#options.onReady();
      } catch (error) {
        if (signal.aborted) return;
        const known = this.#tasks.get(name);
        if (known !== undefined) {
          known.state = { ...known.state, state: 'fails', error: messageOf(error) };
        }
        this.#options.log.warn(
          { err: error, task: name },
          `taught: ${taskText(counts.task)} is not looked for: ${messageOf(error)}`,
        );
      }
    }
  }

  async #makeSet(
    name: string,
    { task, crops }: TaskCounts,
    signal: AbortSignal,
  ): Promise<Map<string, TrainedHead>> {
    const variants = this.#options.variantsFor(task);
    const heads = new Map<string, TrainedHead>();
    for (const variant of variants) {
      const known = this.#tasks.get(name);
      if (known !== undefined)
        known.state = { ...known.state, ready: heads.size, of: variants.length };
      const trained = await headOf(this.#options, task, crops, variant, { signal });
      requireOpposite(trained);
      heads.set(variant.name, trained);
    }
    return heads;
  }
}

/** A head that nothing was held against names whatever it sees. */
function requireOpposite({ report }: TrainedHead): void {
  if (report.others + report.negatives > 0) return;
  throw codedError('MND_TEACH_INVALID', {
    expected: 'pictures of what it is not, for this network has no pictures of its own for that',
    found: 'none',
    next: 'mobilenetd teach --not LABEL adds some',
  });
}
