import type { Clock } from '../time.js';
import type { SpawnChild } from './child/process.js';
import { findVideoDevices } from './discover/devices.js';
import type { CameraFinding } from './discover/finding.js';
import { checkLibcameraDevices, findLibcamera, type MayUse, mayUse } from './discover/programs.js';
import { tryFrame } from './discover/trial.js';
import type { Source } from './source.js';
import { createSource, type SourceOptions } from './sources/sources.js';

export type { CameraFinding } from './discover/finding.js';

export interface DiscoverOptions {
  /** The cameras that are configured and switched on, by name. */
  readonly cameras: Readonly<Record<string, SourceOptions>>;
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
  readonly createSource?: (options: SourceOptions) => Source;
  /** Seconds each camera gets for its first frame; default 20, for `still` 45. */
  readonly deadline?: number;
  /** Ends the search: the camera that is being tried is stopped and reported as failing. */
  readonly signal?: AbortSignal;
}

const DEADLINE_S = 20;
/** A still's own deadline, and the end of the program after it. */
const STILL_DEADLINE_S = 45;

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
  const usesLibcamera = configured.some(([, { source }]) => isLibcamera(source));
  const libcamera = await findLibcamera(options, usesLibcamera, signal);
  const findings = [...libcamera.findings];
  if (usesLibcamera || libcamera.cameras.length > 0) {
    findings.push(...(await checkLibcameraDevices(devRoot, may)));
  }
  const devices = configured.flatMap(([, { device }]) => (device === null ? [] : [device]));
  findings.push(...(await findVideoDevices({ devRoot, sysfsRoot }, devices, may)));
  for (const [name, camera] of configured) {
    const deadline = options.deadline ?? deadlineOf(camera);
    const trial = { createSource, ...options, deadline };
    findings.push(await tryFrame(name, camera, trial, signal));
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

function isLibcamera(source: SourceOptions['source']): boolean {
  return source === 'libcamera' || source === 'still';
}

function deadlineOf({ source }: SourceOptions): number {
  return source === 'still' ? STILL_DEADLINE_S : DEADLINE_S;
}
