import { configError } from '../config/check/problem.js';
import type { Config } from '../config/config.js';

/**
 * Throws MND_CONFIG_INVALID when there is no camera. The daemon needs one; other commands do not, so
 * this is no part of loading a configuration.
 */
export function requireCamera(config: Config): void {
  if (Object.keys(config.cameras).length > 0) return;
  const message =
    'expected at least one camera; found none; add one, e.g. "cameras: { front: { source: demo } }", or try `mobilenetd demo`';
  throw configError([{ where: 'default', key: 'cameras', message }]);
}
