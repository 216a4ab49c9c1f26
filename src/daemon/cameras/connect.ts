import { randomUUID } from 'node:crypto';
import type { SourceSurroundings } from '../../camera/sources/description.js';
import type { Log } from '../diagnostics/log.js';
import type { Line } from '../line/line.js';
import { announcedLabels, cameraOf, labelRulesOf } from '../options/label-rules.js';
import type { Signals } from '../signals.js';
import { buildCamera } from './build.js';
import { Cameras } from './cameras.js';

/** The cameras of the daemon, connected to the way of their frames; none is built yet. */
export function connectCameras(around: {
  readonly line: Line;
  readonly signals: Signals;
  readonly log: Log;
  readonly sources: SourceSurroundings;
}): Cameras {
  const { line, signals, log, sources } = around;
  const { recorder, scheduler } = line;
  const cameras: Cameras = new Cameras({
    announce: announcedLabels,
    configure: (camera, config) =>
      camera.configure(labelRulesOf(config, camera.name, () => randomUUID())),
    build: (name, config) =>
      buildCamera(
        name,
        cameraOf(config, name),
        labelRulesOf(config, name, () => randomUUID()),
        {
          log: log.child({ camera: name }),
          location: config.location,
          onAvailable: () => scheduler.wake(),
          onStatus(status, reason) {
            const camera = cameras.get(name);
            if (status === 'disabled' && camera !== undefined) recorder.end(camera);
            signals.emit('camera', { name, status, reason });
          },
          sources,
        },
      ),
    schedule: (all) => scheduler.setCameras(all),
    recorder,
    signals,
  });
  return cameras;
}
