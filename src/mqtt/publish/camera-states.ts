import type { PresenceEvent } from '../../presence/event.js';
import type { Clock } from '../../time.js';
import { checkCameraNames, type Topics, topicSafe } from '../topics.js';
import { absentAttributes, isoTime, presentAttributes } from './payloads.js';
import type { RetainedState } from './retained.js';
import type { TopicWriter } from './topic-writer.js';
import { type PublishedZone, ZoneStates } from './zone-states.js';

export type CameraState = 'online' | 'offline' | 'disabled';

/** A camera that publishes, and the labels that are announced as OFF before they are ever seen. */
export interface PublishedCamera {
  readonly name: string;
  readonly labels: readonly string[];
  readonly zones?: readonly PublishedZone[];
}

interface StatusPayload {
  readonly reason: string | null;
  /** ms since the epoch */
  readonly since: number;
}

interface CameraView {
  /** What its status says; null before it said anything. */
  status: StatusPayload | null;
  /** Open events by label and id. */
  readonly present: Map<string, Map<string, PresenceEvent>>;
  /** When labels that are not there were last seen, ms; those of earlier runs are left out. */
  readonly gone: Map<string, number>;
  /** Every label with a topic of its own. */
  readonly labels: Set<string>;
}

/** What the retained topics say about cameras and the labels they show. */
export class CameraStates {
  readonly zones: ZoneStates;
  readonly #views = new Map<string, CameraView>();
  readonly #topics: Topics;
  readonly #retained: RetainedState;
  readonly #writer: TopicWriter;
  readonly #clock: Clock;

  constructor(topics: Topics, retained: RetainedState, writer: TopicWriter, clock: Clock) {
    this.#topics = topics;
    this.#retained = retained;
    this.#writer = writer;
    this.#clock = clock;
    this.zones = new ZoneStates(topics, retained, writer, clock);
  }

  /** First levels of the topics of the cameras there are. */
  levels(): ReadonlySet<string> {
    return new Set([...this.#views.keys()].map((name) => topicSafe(name)));
  }

  /**
   * The cameras there are from now on. One that is no longer named is OFF, offline and then taken
   * back; `onGone` hears its name. Throws MND_MQTT_TOPIC when names collide.
   */
  set(cameras: readonly PublishedCamera[], onGone: (camera: string) => void): void {
    checkCameraNames(cameras.map((camera) => camera.name));
    const names = new Set(cameras.map((camera) => camera.name));
    for (const [camera, view] of [...this.#views]) {
      if (names.has(camera)) continue;
      onGone(camera);
      void this.#takeBack(camera, view);
    }
    for (const { name, labels } of cameras) {
      const fresh = !this.#views.has(name);
      const view = this.#viewOf(name);
      if (fresh) this.#writer.camera(name, 'status', 'offline');
      this.#showTop(name, view);
      for (const label of labels) this.#announce(name, view, label);
    }
    this.zones.set(cameras);
  }

  /** `reason`: why it is not online, for people. */
  setState(camera: string, state: CameraState, reason: string | null): void {
    this.#showStatus(camera, { reason, since: this.#clock.wall() });
    this.#writer.camera(camera, 'status', state);
  }

  /** Shows an event in the state of its label, which is ON while any of its objects is there. */
  show(event: PresenceEvent): void {
    const { camera, label, end, id, object } = event;
    const view = this.#viewOf(camera);
    view.labels.add(label);
    const present = view.present.get(label) ?? new Map<string, PresenceEvent>();
    // Of a label of the whole picture there is one at a time.
    if (object === null) present.clear();
    if (end === null) present.set(id, event);
    else present.delete(id);
    if (present.size > 0) {
      view.gone.delete(label);
      view.present.set(label, present);
      this.#writer.label(camera, label, 'attributes', presentAttributes([...present.values()]));
      this.#writer.label(camera, label, 'presence', 'ON');
    } else {
      view.present.delete(label);
      this.#writer.label(camera, label, 'presence', 'OFF');
      this.#showAbsent(camera, view, label, end);
    }
    this.#showTop(camera, view);
  }

  /** The clock was set: what is said to be so since a time of this run is so since another one. */
  shift(ms: number): void {
    for (const [camera, view] of this.#views) {
      if (view.status !== null) {
        this.#showStatus(camera, { ...view.status, since: view.status.since + ms });
      }
      for (const [label, since] of view.gone) this.#showAbsent(camera, view, label, since + ms);
    }
  }

  /** Everything is off, and every camera offline. */
  end(): void {
    this.zones.end();
    for (const [camera, view] of this.#views) this.#allOff(camera, view);
  }

  #viewOf(camera: string): CameraView {
    const known = this.#views.get(camera);
    if (known !== undefined) return known;
    const made: CameraView = {
      status: null,
      present: new Map(),
      gone: new Map(),
      labels: new Set(),
    };
    this.#views.set(camera, made);
    return made;
  }

  #showStatus(camera: string, status: StatusPayload): void {
    const view = this.#views.get(camera);
    if (view !== undefined) view.status = status;
    const { reason, since } = status;
    this.#writer.camera(camera, 'statusAttributes', { reason, since: isoTime(since) });
  }

  #showAbsent(camera: string, view: CameraView, label: string, since: number | null): void {
    if (since !== null) view.gone.set(label, since);
    this.#writer.label(camera, label, 'attributes', absentAttributes(since));
  }

  #announce(camera: string, view: CameraView, label: string): void {
    if (view.labels.has(label)) return;
    view.labels.add(label);
    this.#writer.label(camera, label, 'presence', 'OFF');
    this.#writer.label(camera, label, 'attributes', absentAttributes(null));
  }

  #showTop(camera: string, view: CameraView): void {
    let top: PresenceEvent | null = null;
    for (const events of view.present.values()) {
      for (const event of events.values()) {
        if (top === null || event.score > top.score) top = event;
      }
    }
    this.#writer.camera(camera, 'label', top?.label ?? 'none');
  }

  #allOff(camera: string, view: CameraView): void {
    for (const [label] of view.present) {
      this.#writer.label(camera, label, 'presence', 'OFF');
      this.#showAbsent(camera, view, label, this.#clock.wall());
    }
    view.present.clear();
    this.#showTop(camera, view);
    this.setState(camera, 'offline', 'stopped');
  }

  async #takeBack(camera: string, view: CameraView): Promise<void> {
    this.#allOff(camera, view);
    this.#views.delete(camera);
    await this.#retained.settled();
    if (this.#views.has(camera)) return;
    const prefix = `${this.#topics.root}/${topicSafe(camera)}/`;
    for (const topic of this.#retained.topics()) {
      if (topic.startsWith(prefix)) this.#retained.clear(topic);
    }
  }
}
