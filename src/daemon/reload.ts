import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';
import { diffConfig } from '../config/reload.js';
import type { ConfigKey, Part } from './part.js';
import { PARTS } from './parts.js';

/** What must be done to get from one configuration to another. */
export interface ReloadPlan {
  /** What was meant to change, by section. */
  readonly changed: readonly string[];
  /** What only a new process can take; the old values stay in force. */
  readonly kept: readonly string[];
  /** The configuration to run: the new one with the old values of `kept`. */
  readonly config: Config;
}

export function planReload(before: Config, after: Config): ReloadPlan {
  const { config, kept } = keepWhatMustStay(before, after);
  const { sections, cameras } = diffConfig(before, config);
  const touched = cameras.added.length + cameras.removed.length + cameras.changed.length > 0;
  return { changed: touched ? [...sections, 'cameras'] : sections, kept, config };
}

/**
 * The parts that a change of the configuration touches, in the order of the table: those whose keys
 * have changed, and those that follow one of them.
 */
export function partsTouchedBy(
  before: Config,
  after: Config,
  parts: readonly Part[] = PARTS,
): ReadonlySet<Part> {
  const touched = new Set<Part>();
  const names = new Set<string>();
  for (const part of parts) {
    if (!isTouched(part, before, after) && !part.follows.some((name) => names.has(name))) continue;
    touched.add(part);
    names.add(part.name);
  }
  return touched;
}

function isTouched({ keys }: Part, before: Config, after: Config): boolean {
  if (keys === 'all') return !isDeepStrictEqual(before, after);
  return keys.some((key) => !isDeepStrictEqual(valueAt(before, key), valueAt(after, key)));
}

/** What the configuration has at a path; undefined where it has nothing. */
function valueAt(config: Config, key: ConfigKey): unknown {
  return key
    .split('.')
    .reduce<unknown>(
      (value, name) => (value as Record<string, unknown> | undefined)?.[name],
      config,
    );
}

function keepWhatMustStay(
  before: Config,
  after: Config,
): { readonly config: Config; readonly kept: readonly string[] } {
  const kept: string[] = [];
  const keep = (name: string, old: unknown, fresh: unknown) => {
    if (!isDeepStrictEqual(old, fresh)) kept.push(name);
  };
  keep('state_dir', before.state_dir, after.state_dir);
  keep('control', before.control, after.control);
  keep('diagnostics', before.diagnostics, after.diagnostics);
  keep('log.format', before.log.format, after.log.format);
  const models = after.models_dir.startsWith(`${after.state_dir}/`)
    ? before.models_dir
    : after.models_dir;
  return {
    kept,
    config: {
      ...after,
      state_dir: before.state_dir,
      models_dir: before.state_dir === after.state_dir ? after.models_dir : models,
      control: before.control,
      diagnostics: before.diagnostics,
      log: { ...after.log, format: before.log.format },
    },
  };
}

/** What a reload did, in words. */
export function describePlan(plan: ReloadPlan): string {
  const parts: string[] = [];
  if (plan.changed.length > 0) {
    parts.push(`changed: ${plan.changed.join(', ')} (the rest ran on)`);
  }
  if (plan.kept.length > 0) {
    parts.push(
      `needs a restart of the program to take effect: ${plan.kept.join(', ')} (sudo systemctl restart mobilenetd)`,
    );
  }
  return parts.length === 0 ? 'nothing has changed' : parts.join('; ');
}
