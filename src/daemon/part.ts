import type { Config } from '../config/config.js';
import type { Context, PartName, Parts } from './context.js';

/** A path into the configuration: a section (`cameras`) or a key of one (`governor.min_fps`). */
export type ConfigKey = string;

/** How one part of the daemon is started, changed and stopped. */
export interface Part {
  readonly name: string;
  /** What of the configuration it is made of: a change of any of them touches it; `all`: any change. */
  readonly keys: readonly ConfigKey[] | 'all';
  /** Parts that must run before it starts. */
  readonly needs: readonly PartName[];
  /** Parts of `needs` that it is touched with. */
  readonly follows: readonly PartName[];
  /** The part outlives a restart inside the process. */
  readonly isLasting: boolean;
  /** Throws when the configuration cannot be; asked before anything is touched. */
  readonly check?: (config: Config) => void;
  /** Builds it beside what runs, before anything is touched; returns how to put it in its place. */
  readonly prepare?: (context: Context, config: Config) => Promise<() => void>;
  /** How to put what is there now in its place again. */
  readonly keep?: (context: Context) => () => void;
  readonly start: (context: Context) => Promise<void>;
  /** Takes the configuration that is in force now; null: it is stopped and started instead. */
  readonly change: ((context: Context) => void | Promise<void>) | null;
  readonly stop: (context: Context) => void | Promise<void>;
}

/** A row of the table of parts: what is kept under its name in the context. */
export interface PartRow<Name extends PartName, Needs extends PartName> {
  readonly keys: readonly ConfigKey[];
  readonly needs: readonly Needs[];
  readonly follows?: readonly Needs[];
  readonly isLasting?: boolean;
  readonly check?: (config: Config) => void;
  /** Building it touches nothing else: on a reload that is done before anything is stopped. */
  readonly isPrepared?: boolean;
  readonly start: (
    context: Omit<Context, PartName> & Pick<Parts, Needs>,
    config: Config,
  ) => Parts[Name] | Promise<Parts[Name]>;
  /** Absent: it is stopped and started anew. */
  readonly change?: (
    part: Parts[Name],
    context: Omit<Context, PartName> & Pick<Parts, Needs>,
  ) => void | Promise<void>;
  readonly stop?: (part: Parts[Name]) => void | Promise<void>;
}

/** A row that the table can hold beside rows of other parts. */
export function part<Name extends PartName, Needs extends PartName>(
  name: Name,
  row: PartRow<Name, Needs>,
): Part {
  const { keys, needs, follows = [], isLasting = false, check, start, change, stop } = row;
  return {
    name,
    keys,
    needs,
    follows,
    isLasting,
    ...(check && { check }),
    ...(row.isPrepared && {
      async prepare(context, config) {
        const built = await start(context, config);
        return () => context.set(name, built);
      },
      keep(context) {
        const built = context[name];
        return () => context.set(name, built);
      },
    }),
    start: async (context) => context.set(name, await start(context, context.config)),
    change: change === undefined ? null : (context) => change(context[name], context),
    // A part that was stopped can still be asked what it was, until another one takes its place.
    stop: (context) => stop?.(context[name]),
  };
}
