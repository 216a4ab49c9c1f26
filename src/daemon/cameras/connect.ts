import { randomUUID } from 'node:crypto';
import type { SourceSurroundings } from '../../camera/sources/description.js';
import type { Config } from '../../config/config.js';
import type { Log } from '../diagnostics/log.js';
import type { Line } from '../line/line.js';
import { announcedLabels, cameraOf, labelRulesOf } from '../options/label-rules.js';
import { type TaughtLabel, taughtLabelsOf } from '../options/taught-labels.js';
import type { Signals } from '../signals.js';
import { buildCamera } from './build.js';
import { Cameras } from './cameras.js';

/** The cameras of the daemon, connected to the way of their frames; none is built yet. */
export function connectCameras(around: {
  readonly line: Line;
  readonly signals: Signals;
  readonly log: Log;
  readonly sources: SourceSurroundings;
  /** Labels that were taught on this board, as they are now. */
  readonly taught: () => readonly TaughtLabel[];
}): Cameras {
  const { line, signals, log, sources, taught } = around;
  const rulesOf = (config: Config, name: string) =>
    labelRulesOf(config, name, () => randomUUID(), taughtLabelsOf(taught(), name));
  const { recorder, scheduler } = line;
  const cameras: Cameras = new Cameras({
    announce: (config, variant) => announcedLabels(config, variant, taught()),
    configure: (camera, config) => camera.configure(rulesOf(config, camera.name)),
    build: (name, config) =>
      buildCamera(name, cameraOf(config, name), rulesOf(config, name), {
        log: log.child({ camera: name }),
        location: config.location,
        onAvailable: () => scheduler.wake(),
        onStatus(status, reason) {
          const camera = cameras.get(name);
          if (status === 'disabled' && camera !== undefined) recorder.end(camera);
          signals.emit('camera', { name, status, reason });
        },
        sources,
      }),
    schedule: (all) => scheduler.setCameras(all),
    recorder,
    signals,
  });
  return cameras;
}
