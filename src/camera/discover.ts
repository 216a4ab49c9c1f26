import type { Clock } from '../time.js';
import type { SpawnChild } from './child/process.js';
import { type CameraOptions, createSource } from './create.js';
import { findVideoDevices } from './discover/devices.js';
import type { CameraFinding } from './discover/finding.js';
import { checkLibcameraDevices, findLibcamera, type MayUse, mayUse } from './discover/programs.js';
import { tryFrame } from './discover/trial.js';
import { descriptionOf } from './registry.js';
import type { Source } from './source.js';

export type { CameraFinding } from './discover/finding.js';

export interface DiscoverOptions {
  /** The cameras that are configured and switched on, by name. */
  readonly cameras: Readonly<Record<string, CameraOptions>>;
  /** Default `/dev` and `/sys`. */
  readonly devRoot?: string;
  readonly sysfsRoot?: string;
  /** Where programs are looked for; default: the PATH. */
  readonly path?: string;
  readonly spawn?: SpawnChild;
  readonly clock?: Clock;
  /** Whether this user may read and write a file. */
  readonly mayUse?: MayUse;
  /** Makes a configured camera's source. */
  readonly createSource?: (options: CameraOptions) => Source;
  /** Seconds each camera gets for its first frame; default: that of its kind. */
  readonly deadline?: number;
  /** Ends the search: the camera that is being tried is stopped and reported as failing. */
  readonly signal?: AbortSignal;
}

/**
 * Looks for cameras and tries one frame from each configured one, one after the other: libcamera's
 * list, `/dev/video*`, the devices libcamera needs, then the cameras. Never rejects. A camera that
 * the daemon holds at the moment cannot be tried, and the finding says so.
 */
export async function discoverCameras(options: DiscoverOptions): Promise<CameraFinding[]> {
  const { devRoot = '/dev', sysfsRoot = '/sys', cameras } = options;
  const may = options.mayUse ?? mayUse;
  const signal = options.signal ?? new AbortController().signal;
  const configured = Object.entries(cameras);
  const usesLibcamera = configured.some(
    ([, camera]) => descriptionOf(camera).devices === 'libcamera',
  );
  const libcamera = await findLibcamera(options, usesLibcamera, signal);
  const findings = [...libcamera.findings];
  if (usesLibcamera || libcamera.cameras.length > 0) {
    findings.push(...(await checkLibcameraDevices(devRoot, may)));
  }
  const devices = configured.flatMap(([, { device }]) => (device === null ? [] : [device]));
  findings.push(...(await findVideoDevices({ devRoot, sysfsRoot }, devices, may)));
  for (const [name, camera] of configured) {
    const { createSource: create = createSource, deadline, clock } = options;
    findings.push(await tryFrame(name, camera, { createSource: create, deadline, clock }, signal));
  }
  if (configured.length === 0) {
    findings.push({
      subject: 'cameras',
      level: 'warn',
      found: 'no camera is configured',
      next: 'name one below `cameras:`; what was found above says how',
    });
  }
  return findings;
}
