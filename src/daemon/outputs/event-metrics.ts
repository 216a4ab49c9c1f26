import type { PresenceEvent } from '../../presence/event.js';
import type { Camera } from '../cameras/camera.js';
import type { Phase } from '../context.js';
import type { Signals } from '../signals.js';
import type { MetricFamilies } from './metric-families.js';

type Seen = Pick<PresenceEvent, 'camera' | 'label'>;

/** What is counted of, as it is when counting begins. */
export interface Watched {
  readonly signals: Pick<Signals, 'on'>;
  readonly cameras: {
    list(): readonly {
      readonly name: string;
      readonly presence: { open(): readonly Seen[] };
      status(): ReturnType<Camera['status']>;
    }[];
  };
  readonly daemon: { phase(): Phase };
}

/**
 * Counts events by type. Cameras see something before everything else has started: what is open by then has begun.
 *
 * @param bounded the label as the series has it
 */
export function countEvents(
  families: MetricFamilies,
  { signals, cameras, daemon }: Watched,
  bounded: (camera: string, label: string) => string,
): () => void {
  const names = ['camera', 'label', 'type'] as const;
  const total = families.counter('events_total', 'Events by type.', names);
  const count = ({ camera, label }: Seen, type: string) =>
    total.inc({ camera, label: bounded(camera, label), type });
  // At a reload they have been counted.
  if (daemon.phase() !== 'running') {
    for (const { presence } of cameras.list()) {
      for (const event of presence.open()) count(event, 'new');
    }
  }
  return signals.on('events', ({ events }) => {
    for (const event of events) count(event, event.type);
  });
}

/** Counts how often each camera went away, also one that was there before. */
export function countRestarts(
  families: MetricFamilies,
  { signals, cameras }: Pick<Watched, 'signals' | 'cameras'>,
): () => void {
  const help = 'Times a camera went away after it had been there.';
  const restarts = families.counter('camera_restarts_total', help, ['camera']);
  const online = new Set(
    cameras.list().flatMap((camera) => (camera.status() === 'online' ? [camera.name] : [])),
  );
  return signals.on('camera', ({ name, status }) => {
    if (status === 'online') online.add(name);
    else if (online.delete(name) && status === 'offline') restarts.inc({ camera: name });
  });
}
