import { createHash } from 'node:crypto';
import type { CameraConfig } from '../../config/config.js';
import { codedError, messageOf } from '../../errors.js';
import { createRepeatingLog } from '../../log.js';
import type { Camera } from '../cameras/camera.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

type Using = Pick<Context, 'clock' | 'pictures' | 'messaging' | 'log'>;

/**
 * Takes a camera's retained picture back when what may be seen changes, also over a restart: it shows
 * what is masked now.
 */
export function startSnapshots(
  using: Pick<Context, 'signals' | 'store' | 'messaging' | 'log' | 'config'>,
): StopOutput {
  const { signals, store, messaging, log } = using;
  return signals.on('cameras', ({ cameras }) => {
    for (const { name } of cameras) {
      const key = `snapshot/view/${name}`;
      const view = viewOf(using.config.cameras[name]);
      const before = store.settings.get(key);
      if (before === view) continue;
      const { snapshot, snapshotAttributes } = messaging.topics.camera(name);
      messaging.publisher.retained.clear(snapshot);
      messaging.publisher.retained.clear(snapshotAttributes);
      store.settings.set(key, view);
      if (before === null) continue;
      log.info({ camera: name }, `${name} shows another view: its last picture is taken back`);
    }
  });
}

/** What decides which part of the scene a picture shows, in short. */
function viewOf(camera: CameraConfig | undefined): string {
  const { source, size, rotation, crop, mask } = camera ?? {};
  const text = JSON.stringify([source, size, rotation, crop, mask]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Returns what publishes a picture of a camera's next frame; what fails is logged. */
export function createSnapshotPublisher(using: Using): (camera: string) => void {
  const { clock, pictures, messaging, log } = using;
  const repeating = createRepeatingLog(log, { clock });
  return (camera) => {
    pictures.next(camera).then(
      ({ jpeg, time }) => messaging.publisher.setSnapshot(camera, jpeg, null, time),
      (error: unknown) =>
        repeating.warn(`snapshot ${camera}`, `no snapshot of ${camera}: ${messageOf(error)}`),
    );
  };
}

type Pictured = Pick<Camera, 'name' | 'picture' | 'status' | 'reason' | 'isStopped'>;

/**
 * Publishes a picture that was asked for: one in a size of its own where the camera can, and then it
 * resolves when that is published; else of the next frame, which it does not wait for.
 *
 * @throws MND_CAMERA_… errors when no picture can be expected
 */
export async function answerSnapshotRequest(
  camera: Pictured,
  {
    messaging,
    publishNext,
  }: Pick<Using, 'messaging'> & {
    readonly publishNext: (camera: string) => void;
  },
): Promise<void> {
  const picture = camera.picture();
  if (picture !== null) {
    const jpeg = await picture;
    // The camera may have been built anew meanwhile, with another mask.
    if (camera.isStopped()) throw noFrames(camera);
    messaging.publisher.setSnapshot(camera.name, jpeg);
    return;
  }
  if (camera.status() !== 'online') throw noFrames(camera);
  publishNext(camera.name);
}

/** A camera of which no next frame can be expected. */
function noFrames(camera: Pictured): Error {
  const status = camera.status();
  const code = status === 'disabled' ? 'MND_CAMERA_STOPPED' : 'MND_CAMERA_FAILED';
  return codedError(code, { subject: `camera ${camera.name}`, found: camera.reason() ?? status });
}
