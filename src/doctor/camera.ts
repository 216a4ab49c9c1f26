import { type DiscoverOptions, discoverCameras } from '../camera/discover.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput } from './surroundings.js';

/** Looks for cameras and tries each that is configured and switched on for one frame. */
export async function checkCameras(
  { around, config }: CheckInput,
  options: Pick<DiscoverOptions, 'spawn' | 'signal' | 'deadline' | 'path'> = {},
): Promise<Finding[]> {
  const make = findings('camera');
  const cameras = Object.fromEntries(
    Object.entries(config?.cameras ?? {}).filter(([, { enabled }]) => enabled),
  );
  const found = await discoverCameras({
    cameras,
    devRoot: around.dev,
    sysfsRoot: around.sys,
    ...options,
  });
  return found.map(({ subject, level, found: text, next }) =>
    make[level](subject, text, next === null ? {} : { next }),
  );
}
