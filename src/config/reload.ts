import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.js';

/** What differs between two configurations. */
export interface ConfigDiff {
  /** Top-level keys that differ, without `cameras`. */
  readonly sections: readonly Exclude<keyof Config, 'cameras'>[];
  readonly cameras: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
}

/** Says which parts a daemon that runs with `before` must touch to run with `after`. */
export function diffConfig(before: Config, after: Config): ConfigDiff {
  const keys = Object.keys(after).filter(isSection);
  const old = Object.keys(before.cameras);
  const kept = old.filter((name) => Object.hasOwn(after.cameras, name));
  return {
    sections: keys.filter((key) => !isDeepStrictEqual(before[key], after[key])),
    cameras: {
      added: Object.keys(after.cameras).filter((name) => !Object.hasOwn(before.cameras, name)),
      removed: old.filter((name) => !Object.hasOwn(after.cameras, name)),
      changed: kept.filter((name) => !isDeepStrictEqual(before.cameras[name], after.cameras[name])),
    },
  };
}

function isSection(key: string): key is Exclude<keyof Config, 'cameras'> {
  return key !== 'cameras';
}
