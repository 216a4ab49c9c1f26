import { createSource, type SourceOptions, stallTimeoutOf } from '../camera/create.js';
import { createSlot } from '../camera/slot.js';
import { type CameraStatus, superviseSource } from '../camera/supervisor.js';
import type { CameraConfig, Config } from '../config/config.js';
import { codedError } from '../errors.js';
import { createPresence } from '../presence/presence.js';
import { type CameraUnit, createCameraUnit } from './camera-unit.js';
import type { Log } from './log.js';
import { keptLabelsOf, presenceOptionsOf, thresholdOf } from './settings.js';

export interface CameraSurroundings {
  readonly log: Log;
  readonly createId: (timeMs: number) => string;
  /** A frame of some camera waits to be looked at. */
  readonly onAvailable: () => void;
  readonly onStatus: (camera: string, status: CameraStatus, reason: string | null) => void;
}

/** Builds a camera of the configuration; nothing runs before its `start`. */
export function buildCamera(
  name: string,
  config: Config,
  surroundings: CameraSurroundings,
): CameraUnit {
  const camera = config.cameras[name];
  if (camera === undefined) {
    throw codedError('MND_INTERNAL', { subject: 'cameras', expected: 'a camera', found: name });
  }
  const log = surroundings.log.child({ camera: name });
  checkUnsupported(name, camera);
  const source: SourceOptions = camera;
  // A misconfigured source is an error at start, not one of its attempts.
  createSource(source);
  const presenceOptions = presenceOptionsOf(config, camera, surroundings.createId);
  return createCameraUnit({
    name,
    presenceOptions,
    slot: createSlot({ camera: name, onAvailable: surroundings.onAvailable }),
    presence: createPresence(name, presenceOptions),
    fps: camera.fps,
    crop: camera.crop,
    labels: keptLabelsOf(config, camera),
    threshold: thresholdOf(config),
    supervise: (signal, onFrame, onStatus) =>
      superviseSource(
        {
          name,
          createSource: () => createSource(source),
          stallTimeout: stallTimeoutOf(camera, camera.stall_timeout),
          onFrame,
          onStatus,
          onFailure: ({ error, count }) =>
            log.warn({ count }, `the camera failed: ${error.message}`),
        },
        signal,
      ),
    onStatus: (status, reason) => {
      log.info({ status, reason }, `camera ${status}${reason === null ? '' : `: ${reason}`}`);
      surroundings.onStatus(name, status, reason);
    },
  });
}

/** A key that would be ignored is refused: a mask that is not applied would be a broken promise. */
function checkUnsupported(name: string, camera: CameraConfig): void {
  const unsupported = camera.mask.length > 0 ? 'mask' : camera.motion.enabled ? 'motion' : null;
  if (unsupported === null) return;
  throw codedError('MND_CONFIG_INVALID', {
    subject: `cameras.${name}.${unsupported}`,
    expected: 'nothing: this version does not have it yet',
    next: 'take it out',
  });
}
