import { type Clock, systemClock } from '../../time.js';
import type { SpawnChild } from '../child/process.js';
import { type DeviceRoots, pictureDevices } from './devices.js';
import { findLibcamera, type MayUse, mayUse } from './programs.js';
import type { TrialResult } from './trial.js';

/** A camera that can be used as it is. */
export interface ChosenCamera {
  /** What stands below the camera's name in a configuration. */
  readonly settings:
    | { readonly source: 'libcamera' }
    | { readonly source: 'v4l2'; readonly device: string };
  /** What it is, for people. */
  readonly what: string;
}

export interface ChooseOptions extends Partial<DeviceRoots> {
  readonly path?: string;
  readonly spawn?: SpawnChild;
  readonly clock?: Clock;
  readonly mayUse?: MayUse;
  /** Tries the device for one frame. */
  readonly tryDevice: (device: string, signal: AbortSignal) => Promise<TrialResult>;
}

/**
 * The camera to take where none is configured: the first of libcamera's, else the first USB camera
 * that delivers a frame; null when there is neither, and then `tried` says what was.
 */
export async function chooseCamera(
  options: ChooseOptions,
  signal: AbortSignal,
): Promise<{ readonly camera: ChosenCamera | null; readonly tried: readonly string[] }> {
  const { devRoot = '/dev', sysfsRoot = '/sys', clock = systemClock } = options;
  const may = options.mayUse ?? mayUse;
  const surroundings = { path: options.path, spawn: options.spawn, clock };
  const { cameras } = await findLibcamera(surroundings, false, signal);
  const [first] = cameras;
  if (first !== undefined) {
    return { camera: { settings: { source: 'libcamera' }, what: first.sensor }, tried: [] };
  }
  const tried: string[] = [];
  for (const { path, title, node } of await pictureDevices({ devRoot, sysfsRoot })) {
    if (signal.aborted) break;
    if (!(await may(node))) {
      tried.push(`${path}: this user may not open it`);
      continue;
    }
    const { delivers, found } = await options.tryDevice(path, signal);
    if (delivers) {
      return { camera: { settings: { source: 'v4l2', device: path }, what: title }, tried };
    }
    tried.push(`${path}: ${found}`);
  }
  return { camera: null, tried };
}
