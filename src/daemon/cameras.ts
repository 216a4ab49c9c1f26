import { createSource, type SourceOptions, stallTimeoutOf } from '../camera/create.js';
import { createMotionGate } from '../camera/motion.js';
import { createSlot, type SlotOptions } from '../camera/slot.js';
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
  const source: SourceOptions = camera;
  // A misconfigured source is an error at start, not one of its attempts.
  createSource(source);
  const stallTimeout = stallTimeoutOf(camera, camera.stall_timeout);
  const presenceOptions = presenceOptionsOf(config, camera, surroundings.createId);
  return createCameraUnit({
    name,
    presenceOptions,
    slot: createSlot({ camera: name, onAvailable: surroundings.onAvailable, ...gateOf(camera) }),
    presence: createPresence(name, presenceOptions),
    fps: camera.fps,
    crop: camera.crop,
    stallTimeout,
    labels: keptLabelsOf(config, camera),
    threshold: thresholdOf(config),
    supervise: (signal, onFrame, onStatus) =>
      superviseSource(
        {
          name,
          createSource: () => createSource(source),
          stallTimeout,
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

/** The motion gate as the slot's judge of frames; nothing when it is off. */
function gateOf({ motion }: CameraConfig): Pick<SlotOptions, 'accept'> {
  if (!motion.enabled) return {};
  const gate = createMotionGate(motion);
  return { accept: (frame, now) => gate.accepts(frame, now) };
}
