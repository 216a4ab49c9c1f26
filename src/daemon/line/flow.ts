import type { Result } from '../../inference/result.js';
import type { PresenceEvent } from '../../presence/event.js';
import type { Instant } from '../../presence/presence.js';
import { endOf, type Store } from '../../store/store.js';
import type { CameraUnit } from '../cameras/camera-unit.js';
import { publicStatus } from '../cameras/fleet.js';
import type { Messaging } from '../outputs/messaging.js';

export interface FlowOptions {
  readonly store: Store;
  /** Looked at for every event: its publisher may be exchanged. */
  readonly messaging: Pick<Messaging, 'publisher'>;
  /** Told of every event once it is recorded; `result` is the one that caused it, if any. */
  readonly onEvents?: (events: readonly PresenceEvent[], result: Result | null) => void;
}

/** The way of a result to presence, then to the database, then to MQTT; in this order. */
export interface Flow {
  /** Ends what a process that was killed left open; `cameras` are those there are now. */
  recover(cameras: ReadonlySet<string>): number;
  /** `unmoved`: the frame was only looked at again, nothing in it has moved. */
  result(unit: CameraUnit, result: Result, unmoved?: boolean): void;
  /** Lets off delays run out. */
  tick(units: Iterable<CameraUnit>, now: Instant): void;
  /** Tells a new publisher what a camera shows. */
  show(unit: CameraUnit): void;
  /** Ends everything a camera shows. */
  end(unit: CameraUnit): void;
}

export function createFlow(options: FlowOptions): Flow {
  const { store, messaging, onEvents = () => {} } = options;

  function commit(events: readonly PresenceEvent[], result: Result | null): void {
    if (events.length === 0) return;
    const recorded = store.recordEvents(events, messaging.publisher.eventMessages(events));
    messaging.publisher.applyEvents(events);
    if (recorded) onEvents(events, result);
  }

  return {
    recover(cameras) {
      const ended = store.openEvents().map(endOf);
      store.recordEvents(ended, messaging.publisher.eventMessages(ended));
      messaging.publisher.applyEvents(ended.filter(({ camera }) => cameras.has(camera)));
      return ended.length;
    },
    result(unit, result, unmoved) {
      const kept = unit.filter(result);
      commit(unit.presence.update(kept), kept);
      const ids = new Map(unit.presence.present().map(({ label, eventId }) => [label, eventId]));
      store.recordResult(kept, ids, unmoved);
      messaging.publisher.showResult(kept);
    },
    tick(units, now) {
      for (const unit of units) commit(unit.presence.tick(now), null);
    },
    show(unit) {
      const camera = unit.name;
      const present = unit.presence.present().map(({ eventId: id, since: start, ...label }) => ({
        ...label,
        ...{ id, camera, start, end: null, type: 'update' as const },
      }));
      messaging.publisher.setCameraState(camera, publicStatus(unit.status()), unit.reason());
      messaging.publisher.applyEvents(present);
    },
    end(unit) {
      commit(unit.presence.end(), null);
    },
  };
}
