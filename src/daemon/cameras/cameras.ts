import { createSource, isStill, rateOf, stallTimeoutOf } from '../../camera/create.js';
import { createMotionGate } from '../../camera/pixels/motion.js';
import { createSchedule } from '../../camera/schedule.js';
import { createSlot, type SlotOptions } from '../../camera/slot.js';
import { takeSnapshot } from '../../camera/snapshot.js';
import type { SourceSurroundings } from '../../camera/sources/description.js';
import { type CameraStatus, superviseSource } from '../../camera/supervisor.js';
import type { CameraConfig, Config } from '../../config/config.js';
import { codedError } from '../../errors.js';
import { createPresence } from '../../presence/presence.js';
import type { Log } from '../diagnostics/log.js';
import { createMeter } from '../line/meter.js';
import { keptLabelsOf, presenceOptionsOf, thresholdOf } from '../settings.js';
import { createCameraLog } from './camera-log.js';
import { type CameraUnit, createCameraUnit, type Reading } from './camera-unit.js';

export interface CameraSurroundings {
  readonly log: Log;
  readonly createId: (timeMs: number) => string;
  /** A frame of some camera waits to be looked at. */
  readonly onAvailable: () => void;
  readonly onStatus: (camera: string, status: CameraStatus, reason: string | null) => void;
  /** Clock, processes and the like for sources; default: the machine's own. */
  readonly sources?: SourceSurroundings;
}

/** Builds a camera of the configuration; nothing runs before its `start`. */
export function buildCamera(
  name: string,
  config: Config,
  surroundings: CameraSurroundings,
): CameraUnit {
  const camera = cameraOf(name, config);
  const log = surroundings.log.child({ camera: name });
  const logStatus = createCameraLog(log, () => performance.now());
  const stallOf = (mode: 'stream' | 'still') =>
    stallTimeoutOf(asRead(camera, mode), camera.stall_timeout);
  const reading = readingOf(name, config, surroundings.createId);
  const [first = 'stream'] = modesOf(camera);
  return createCameraUnit({
    name,
    ...reading,
    slot: createSlot({ camera: name, onAvailable: surroundings.onAvailable, ...gateOf(camera) }),
    meter: createMeter(performance.now()),
    presence: createPresence(name, reading.presenceOptions[first]),
    fps: { stream: camera.fps, still: rateOf(asRead(camera, 'still')) },
    stallTimeout: { stream: stallOf('stream'), still: stallOf('still') },
    capture: isStill(camera) ? 'still' : camera.capture,
    schedule:
      camera.schedule.length === 0 ? null : createSchedule(camera.schedule, camera.time_zone),
    crop: camera.crop === null ? null : { box: camera.crop, size: camera.size },
    supervise(mode, signal, onFrame, onStatus, rate) {
      const source = asRead(camera, mode);
      return superviseSource(
        {
          name,
          createSource: () => createSource(source, { ...surroundings.sources, rate }),
          stallTimeout: stallOf(mode),
          onFrame,
          onStatus,
          log,
          clock: surroundings.sources?.clock,
        },
        signal,
      );
    },
    takePicture: pictureOf(camera, surroundings.sources ?? {}),
    onStatus: (status, reason) => {
      logStatus(status, reason);
      surroundings.onStatus(name, status, reason);
    },
    wallTime: surroundings.sources?.clock?.wall,
    clock: surroundings.sources?.clock,
  });
}

/** How the results of a camera of the configuration are read. */
export function readingOf(
  name: string,
  config: Config,
  createId: CameraSurroundings['createId'],
): Reading {
  const camera = cameraOf(name, config);
  return {
    presenceOptions: {
      stream: presenceOptionsOf(config, camera, 'stream', createId),
      still: presenceOptionsOf(config, camera, 'still', createId),
    },
    labels: keptLabelsOf(config, camera),
    threshold: thresholdOf(config, camera),
  };
}

function cameraOf(name: string, config: Config): CameraConfig {
  const camera = config.cameras[name];
  if (camera !== undefined) return camera;
  throw codedError('MND_INTERNAL', { subject: 'cameras', expected: 'a camera', found: name });
}

/** The camera as it is read in one of the modes. */
function asRead(camera: CameraConfig, mode: 'stream' | 'still'): CameraConfig {
  return { ...camera, capture: mode };
}

function modesOf(camera: CameraConfig): readonly ('stream' | 'still')[] {
  if (camera.capture === 'auto') return ['stream', 'still'];
  return [isStill(camera) ? 'still' : 'stream'];
}

function pictureOf(
  camera: CameraConfig,
  sources: SourceSurroundings,
): ((signal: AbortSignal) => Promise<Uint8Array>) | null {
  const size = camera.snapshot_size;
  return size === null ? null : (signal) => takeSnapshot(camera, size, sources, signal);
}

/** The motion gate as the slot's judge of frames; nothing when it is off. */
function gateOf({ motion }: CameraConfig): Pick<SlotOptions, 'accept'> {
  if (!motion.enabled) return {};
  const gate = createMotionGate(motion);
  return { accept: (frame, now) => gate.accepts(frame, now) };
}
