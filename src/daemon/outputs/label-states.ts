import type { CameraStatus } from '../../camera/supervisor.js';
import type { Context } from '../context.js';
import type { CameraView } from '../signals.js';
import type { StopOutput } from './output.js';

/** Statuses as a broker knows them: an ended source delivers as little as a broken one. */
export function publicStatus(status: CameraStatus): 'online' | 'offline' | 'disabled' {
  return status === 'ended' ? 'offline' : status;
}

/** Shows on MQTT which cameras there are, how each fares, and what is present in front of it. */
export function startLabelStates({
  signals,
  messaging,
}: Pick<Context, 'signals' | 'messaging'>): StopOutput {
  const { publisher } = messaging;
  let isFirst = true;
  const stops = [
    signals.on('cameras', ({ cameras }) => {
      publisher.setCameras(cameras);
      // What runs already when this starts has nothing new to say by itself.
      if (isFirst) for (const camera of cameras) show(camera);
      isFirst = false;
    }),
    signals.on('camera', ({ name, status, reason }) =>
      publisher.setCameraState(name, publicStatus(status), reason),
    ),
    signals.on('presence', ({ events }) => publisher.applyEvents(events)),
    signals.on('zones', ({ states }) => publisher.applyZones(states)),
    signals.on('labelled', ({ result }) => publisher.showResult(result)),
  ];

  function show(camera: CameraView): void {
    const { name } = camera;
    publisher.setCameraState(name, publicStatus(camera.status()), camera.reason());
    publisher.applyEvents(camera.open());
    publisher.applyZones(camera.inZones());
  }

  return () => {
    for (const stop of stops) stop();
  };
}
