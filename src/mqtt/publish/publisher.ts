import type { Result } from '../../inference/result.js';
import type { PresenceEvent } from '../../presence/event.js';
import type { Connection } from '../connection/connection.js';
import { type Log, REAL_TIMERS, SILENT, type Timers } from '../log.js';
import type { Outbox, OutgoingMessage } from '../message.js';
import { checkCameraNames, type Topics, topicSafe } from '../topics.js';
import { createDrain } from './drain.js';
import { createLabelsFeed } from './labels-feed.js';
import { absentAttributes, eventPayload, presentAttributes } from './payloads.js';
import { createRetainedState, type RetainedState } from './retained.js';
import { sweepStale } from './stale.js';

export type CameraState = 'online' | 'offline' | 'disabled';

/** A camera that publishes, and the labels that are announced as OFF before they are ever seen. */
export interface PublishedCamera {
  readonly name: string;
  readonly labels: readonly string[];
}

export interface PublisherOptions {
  readonly connection: Connection;
  readonly topics: Topics;
  readonly outbox: Outbox;
  /** Of this program; goes along as a user property on MQTT 5. */
  readonly version: string;
  /** Seconds an event is worth delivering, as in the outbox; MQTT 5 brokers are told. */
  readonly maxEventAge: number;
  readonly timers?: Timers;
  /** Wall clock, milliseconds since the epoch. */
  readonly now?: () => number;
  /** Monotonic, milliseconds. */
  readonly monotonic?: () => number;
  readonly log?: Log;
}

export interface Publisher {
  /** Connects, and keeps the broker's picture of this board true from then on. */
  start(): void;
  /** The messages about events; record them in the transaction of the events. */
  eventMessages(events: readonly PresenceEvent[]): OutgoingMessage[];
  /** Shows events as label states. Call it after they have been recorded. */
  applyEvents(events: readonly PresenceEvent[]): void;
  /**
   * The cameras there are. One that is no longer named is OFF, offline and then taken back. Throws
   * MND_MQTT_TOPIC when names collide.
   */
  setCameras(cameras: readonly PublishedCamera[]): void;
  /** `reason`: why it is not online, for people. */
  setCameraState(camera: string, state: CameraState, reason?: string | null): void;
  /** Shows a result on `labels`: at most one a second and camera, and no second empty one. */
  showResult(result: Result): void;
  /** JPEG of the last event. */
  setSnapshot(camera: string, jpeg: Uint8Array): void;
  setInfo(info: object): void;
  setHealth(health: object): void;
  setGovernor(governor: object): void;
  /** The version that runs and the latest there is. */
  setUpdate(update: object): void;
  /** Says every retained topic again, availability last. */
  republish(): void;
  /** Any other retained topic of ours: states of commands, discovery. */
  readonly retained: RetainedState;
  /** Events the broker refused for good. */
  refused(): number;
  /** Says that everything is off and offline, sends what it can of the outbox, and disconnects. */
  close(): Promise<void>;
}

const CLOSE_MS = 2000;
/** Seconds; a picture of the scene that is older says nothing. */
const LABELS_EXPIRY = 3600;

interface CameraView {
  readonly present: Map<string, PresenceEvent>;
  /** Every label with a topic of its own. */
  readonly labels: Set<string>;
}

/** Publishes what the rest of the daemon hands it, as the topic table of docs/mqtt.md has it. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { connection, topics, outbox } = options;
  const log = options.log ?? SILENT;
  const timers = options.timers ?? REAL_TIMERS;
  const now = options.now ?? Date.now;
  const monotonic = options.monotonic ?? (() => performance.now());
  const retained = createRetainedState({ connection, log, monotonic });
  const views = new Map<string, CameraView>();
  const json = {
    contentType: 'application/json',
    userProperties: { version: options.version },
  };
  const drain = createDrain({
    connection,
    outbox,
    monotonic,
    log,
    propertiesOf: ({ created }) => ({
      ...json,
      messageExpiryInterval: Math.max(1, Math.ceil(options.maxEventAge - (now() - created) / 1000)),
    }),
  });
  const feed = createLabelsFeed({
    timers,
    monotonic,
    publish: (camera, payload) =>
      retained.set(topics.camera(camera).labels, JSON.stringify(payload), {
        qos: 0,
        properties: {
          ...json,
          messageExpiryInterval: Math.min(LABELS_EXPIRY, options.maxEventAge),
        },
      }),
  });
  let swept = false;
  let ready = false;
  let closing = false;
  let connects = 0;

  function setJson(topic: string, payload: object, qos: 0 | 1): void {
    retained.set(topic, JSON.stringify(payload), { qos, properties: json });
  }

  /**
   * Availability comes last: whoever waits for `online` then finds only states that are true.
   */
  async function introduce(): Promise<void> {
    const mine = ++connects;
    ready = false;
    retained.republish();
    await retained.settled();
    if (!swept && mine === connects && connection.connected()) {
      const cameras = new Set([...views.keys()].map((name) => topicSafe(name)));
      await sweepStale({ connection, topics, retained, cameras, timers, log });
      // Once a process is enough, but a sweep that was cut short is none.
      swept = mine === connects && connection.connected();
      await retained.settled();
    }
    if (mine !== connects || closing || !connection.connected()) return;
    ready = true;
    drain.wake();
    await sayState('online');
  }

  async function sayState(state: 'online' | 'offline'): Promise<void> {
    // A connection that is lost meanwhile is told anew.
    await connection.publish(topics.state, state, { qos: 1, retain: true }).catch(() => {});
  }

  function viewOf(camera: string): CameraView {
    const known = views.get(camera);
    if (known !== undefined) return known;
    const made = { present: new Map<string, PresenceEvent>(), labels: new Set<string>() };
    views.set(camera, made);
    return made;
  }

  function sayCamera(camera: string, state: CameraState, reason: string | null): void {
    const { status, statusAttributes } = topics.camera(camera);
    setJson(statusAttributes, { reason, since: new Date(now()).toISOString() }, 0);
    retained.set(status, state, { qos: 1 });
  }

  function announce(camera: string, view: CameraView, label: string): void {
    if (view.labels.has(label)) return;
    view.labels.add(label);
    const paths = topics.camera(camera);
    retained.set(paths.presence(label), 'OFF', { qos: 1 });
    setJson(paths.attributes(label), absentAttributes(null), 0);
  }

  function showLabel(camera: string, view: CameraView, event: PresenceEvent): void {
    const paths = topics.camera(camera);
    view.labels.add(event.label);
    if (event.end === null) {
      view.present.set(event.label, event);
      setJson(paths.attributes(event.label), presentAttributes(event), 0);
      retained.set(paths.presence(event.label), 'ON', { qos: 1 });
    } else {
      view.present.delete(event.label);
      retained.set(paths.presence(event.label), 'OFF', { qos: 1 });
      setJson(paths.attributes(event.label), absentAttributes(event.end), 0);
    }
  }

  function showTop(camera: string, view: CameraView): void {
    let top: PresenceEvent | null = null;
    for (const event of view.present.values()) {
      if (top === null || event.score > top.score) top = event;
    }
    retained.set(topics.camera(camera).label, top?.label ?? 'none', { qos: 1 });
  }

  function allOff(camera: string, view: CameraView): void {
    const paths = topics.camera(camera);
    for (const [label] of view.present) {
      retained.set(paths.presence(label), 'OFF', { qos: 1 });
      setJson(paths.attributes(label), absentAttributes(now()), 0);
    }
    view.present.clear();
    showTop(camera, view);
    sayCamera(camera, 'offline', 'stopped');
    feed.forget(camera);
  }

  async function takeBack(camera: string, view: CameraView): Promise<void> {
    allOff(camera, view);
    views.delete(camera);
    await retained.settled();
    if (views.has(camera)) return;
    const prefix = `${topics.root}/${topicSafe(camera)}/`;
    for (const topic of retained.topics()) if (topic.startsWith(prefix)) retained.clear(topic);
  }

  async function sayGoodbye(): Promise<void> {
    for (const [camera, view] of views) allOff(camera, view);
    await retained.settled();
    while (connection.connected() && outbox.depth() > 0) await pause(20);
    if (connection.connected()) await sayState('offline');
  }

  function pause(delay: number): Promise<void> {
    return new Promise((resolve) => void timers.setTimeout(resolve, delay));
  }

  connection.onConnect(() => {
    ready = false;
    drain.reset();
    void introduce();
  });
  const stopListening = outbox.onAdded(() => {
    if (ready) drain.wake();
  });

  return {
    retained,
    start: () => connection.start(),
    eventMessages: (events) =>
      events.map((event) => ({
        topic: topics.camera(event.camera).events,
        payload: JSON.stringify(eventPayload(event)),
        qos: 1,
        retain: false,
      })),
    applyEvents(events) {
      if (closing) return;
      for (const event of events) {
        const view = viewOf(event.camera);
        showLabel(event.camera, view, event);
        showTop(event.camera, view);
      }
    },
    setCameras(cameras) {
      checkCameraNames(cameras.map((camera) => camera.name));
      const names = new Set(cameras.map((camera) => camera.name));
      for (const [camera, view] of [...views]) {
        if (!names.has(camera)) void takeBack(camera, view);
      }
      for (const { name, labels } of cameras) {
        const fresh = !views.has(name);
        const view = viewOf(name);
        if (fresh) retained.set(topics.camera(name).status, 'offline', { qos: 1 });
        showTop(name, view);
        for (const label of labels) announce(name, view, label);
      }
    },
    setCameraState(camera, state, reason = null) {
      if (!closing) sayCamera(camera, state, reason);
    },
    showResult(result) {
      if (!closing) feed.show(result);
    },
    setSnapshot(camera, jpeg) {
      const properties = { contentType: 'image/jpeg' };
      if (!closing) retained.set(topics.camera(camera).snapshot, jpeg, { qos: 0, properties });
    },
    republish() {
      if (ready && !closing) void introduce();
    },
    setInfo: (info) => setJson(topics.info, info, 1),
    setHealth: (health) => setJson(topics.health, health, 0),
    setGovernor: (governor) => setJson(topics.governor, governor, 1),
    setUpdate: (update) => setJson(topics.update, update, 1),
    refused: () => drain.refused(),
    async close() {
      if (closing) return;
      closing = true;
      feed.stop();
      if (connection.connected()) {
        await Promise.race([sayGoodbye(), pause(CLOSE_MS)]);
      }
      stopListening();
      await connection.close();
    },
  };
}
