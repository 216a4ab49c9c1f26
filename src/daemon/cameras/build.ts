import { createSource, isOnBoard, isStill, stallTimeoutOf } from '../../camera/create.js';
import { createMotionGate } from '../../camera/pixels/motion.js';
import { boxInPixels } from '../../camera/region.js';
import { rateOf } from '../../camera/registry.js';
import { createSchedule, type Location } from '../../camera/schedule.js';
import { createSlot, type SlotOptions } from '../../camera/slot.js';
import { takeSnapshot } from '../../camera/snapshot.js';
import type { SourceNotice, SourceSurroundings } from '../../camera/sources/description.js';
import { type CameraStatus, superviseSource } from '../../camera/supervisor.js';
import type { CameraConfig } from '../../config/config.js';
import { createRepeatingLog } from '../../log.js';
import { createPresence } from '../../presence/presence.js';
import { systemClock } from '../../time.js';
import type { Log } from '../diagnostics/log.js';
import { createMeter } from '../line/meter.js';
import type { LabelRules } from '../options/label-rules.js';
import { Camera } from './camera.js';
import { CameraNotices } from './notices.js';
import { createStatusLog } from './status-log.js';

export interface CameraSurroundings {
  readonly log: Log;
  /** Where the sun of schedules is looked at. */
  readonly location: Location | null;
  /** A frame of this camera waits to be looked at. */
  readonly onAvailable: () => void;
  readonly onStatus: (status: CameraStatus, reason: string | null) => void;
  /** Clock, processes and the like for sources; default: the machine's own. */
  readonly sources?: SourceSurroundings;
}

/** What a source says of one thing, such as a picture that it refuses, is logged once a day. */
const NOTICE_INTERVAL_MS = 86_400_000;
const MAX_NOTICES = 1000;

/** Builds a camera of the configuration; nothing runs before its `start`. */
export function buildCamera(
  name: string,
  camera: CameraConfig,
  rules: LabelRules,
  surroundings: CameraSurroundings,
): Camera {
  const { log } = surroundings;
  const clock = surroundings.sources?.clock ?? systemClock;
  const notices = createRepeatingLog(log, {
    clock,
    interval: NOTICE_INTERVAL_MS,
    capacity: MAX_NOTICES,
  });
  const kept = new CameraNotices(() => clock.wall());
  const onNotice = (notice: SourceNotice): void => {
    kept.add(notice);
    notices.warn(notice.key, notice.message);
  };
  const logStatus = createStatusLog(log, clock);
  const stallOf = (mode: 'stream' | 'still', fps = camera.fps) =>
    stallTimeoutOf({ ...asRead(camera, mode), fps }, camera.stall_timeout);
  const [first = 'stream'] = modesOf(camera);
  return new Camera({
    name,
    ...rules,
    slot: createSlot({ camera: name, onAvailable: surroundings.onAvailable, ...gateOf(camera) }),
    meter: createMeter(clock.now()),
    presence: createPresence(name, rules.presenceOptions[first]),
    fps: { stream: rateOf(asRead(camera, 'stream')), still: rateOf(asRead(camera, 'still')) },
    stallTimeout: { stream: stallOf('stream'), still: stallOf('still') },
    capture: isStill(camera) ? 'still' : camera.capture,
    schedule:
      camera.schedule.length === 0
        ? null
        : createSchedule(camera.schedule, camera.time_zone, surroundings.location),
    crop:
      camera.crop === null
        ? null
        : { box: boxInPixels(camera.crop, camera.size), size: camera.size },
    canSlow: isOnBoard(camera),
    supervise(mode, signal, onFrame, onStatus, rate, streamFps) {
      const read = asRead(camera, mode);
      const source = mode === 'stream' ? { ...read, fps: streamFps() } : read;
      return superviseSource(
        {
          name,
          createSource: () => createSource(source, { ...surroundings.sources, rate, onNotice }),
          stallTimeout: stallOf(mode, source.fps),
          onFrame,
          onStatus,
          log,
          clock: surroundings.sources?.clock,
        },
        signal,
      );
    },
    notices: kept,
    takePicture: pictureOf(camera, surroundings.sources ?? {}),
    onStatus: (status, reason) => {
      logStatus(status, reason);
      surroundings.onStatus(status, reason);
    },
    clock: surroundings.sources?.clock,
  });
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
