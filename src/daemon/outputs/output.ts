import type { Context, PartName } from '../context.js';
import type { ConfigKey } from '../part.js';

/** Ends what an output began. The configuration in force may be the next one by then. */
export type StopOutput = () => void | Promise<void>;

/** One thing that the daemon tells, or is told by, the world: a row of the table in index.ts. */
export interface Output {
  readonly name: string;
  /**
   * `first`: before anything else runs, and over restarts inside the process. `before cameras`: it
   * hears what cameras do from their first status to their last event. `last`: all parts run.
   */
  readonly starts: 'first' | 'before cameras' | 'last';
  /** What of the configuration it is made of: a change of any of them starts it anew. */
  readonly keys: readonly ConfigKey[] | 'all';
  /** Parts whose change starts it anew. */
  readonly follows: readonly PartName[];
  /** What it uses is named by its own parameter: never all of the context. */
  readonly start: (context: Context) => StopOutput | Promise<StopOutput>;
}
