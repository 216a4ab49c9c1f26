import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';
import { diffConfig } from '../config/reload.js';

/** Parts that take a change while the others run on. */
export type LivePart =
  | 'cameras'
  | 'governor'
  | 'homeassistant'
  | 'log'
  | 'messaging'
  | 'network'
  | 'store';

/** What must be done to get from one configuration to another. */
export interface ReloadPlan {
  /** What was meant to change, by section. */
  readonly changed: readonly string[];
  /** What only a new process can take; the old values stay in force. */
  readonly kept: readonly string[];
  /** Parts that are touched. */
  readonly live: ReadonlySet<LivePart>;
  /** The configuration to run: the new one with the old values of `kept`. */
  readonly config: Config;
}

type Section = Exclude<keyof Config, 'state_dir' | 'control' | 'diagnostics'>;

/** Null: it shows in the other sections, or nothing uses it yet. */
const LIVE: Readonly<Record<Section, LivePart | null>> = {
  board: null,
  status: null,
  cameras: 'cameras',
  presence: 'cameras',
  governor: 'governor',
  homeassistant: 'homeassistant',
  log: 'log',
  model: 'network',
  models_dir: 'network',
  mqtt: 'messaging',
  node: 'messaging',
  store: 'store',
};

export function planReload(before: Config, after: Config): ReloadPlan {
  const { config, kept } = keepWhatMustStay(before, after);
  const { sections, cameras } = diffConfig(before, config);
  const touched = cameras.added.length + cameras.removed.length + cameras.changed.length > 0;
  const changed = touched ? [...sections, 'cameras' as const] : [...sections];
  const live = new Set<LivePart>();
  for (const section of changed) {
    const part = isLive(section) ? LIVE[section] : null;
    if (part !== null) live.add(part);
  }
  // The least rate tells presence how far apart frames may be.
  if (before.governor.min_fps !== config.governor.min_fps) live.add('cameras');
  return { changed, kept, live, config };
}

function isLive(section: keyof Config): section is Section {
  return Object.hasOwn(LIVE, section);
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
