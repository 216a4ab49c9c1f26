import type { Result } from '../../inference/result.js';
import { type Log, SILENT } from '../../log.js';
import type { PresenceEvent, ZoneState } from '../../presence/event.js';
import { backgroundClock, type Clock } from '../../time.js';
import type { Connection } from '../connection/connection.js';
import type { Outbox, OutgoingMessage } from '../message.js';
import {
  type BoardTopic,
  CAMERA_TOPICS,
  type CameraTopic,
  type LabelTopic,
  type Topics,
} from '../topics.js';
import { type CameraState, CameraStates, type PublishedCamera } from './camera-states.js';
import { type DeliveryReport, deliveryReport } from './delivery.js';
import { OutboxDrain } from './drain.js';
import { createLabelsFeed } from './labels-feed.js';
import { eventPayload, withPicture } from './payloads.js';
import { PictureGate } from './picture-gate.js';
import { createRetainedState, type RetainedState } from './retained.js';
import { SnapshotTopics } from './snapshots.js';
import { sweepStale } from './stale.js';
import { createTopicWriter, type Payload, type TopicWriter } from './topic-writer.js';

export type { CameraState, PublishedCamera } from './camera-states.js';

export interface PublisherOptions {
  readonly connection: Connection;
  readonly topics: Topics;
  readonly outbox: Outbox;
  /** Of this program; goes along as a user property on MQTT 5. */
  readonly version: string;
  /** Seconds an event is worth delivering, as in the outbox; MQTT 5 brokers are told. */
  readonly maxEventAge: number;
  /** The longest that an event waits for its picture, ms; default: none is waited for. */
  readonly pictureWaitMs?: number;
  /** When the frame of the picture of an event was taken, ms; null (default): none is kept. */
  readonly pictureTimeOf?: (id: string) => number | null;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface Publisher {
  /** Connects, and keeps the broker's picture of this board true from then on. */
  start(): void;
  /**
   * The messages about events; record them in the transaction of the events. Those of `pictured` wait
   * for their picture: `setSnapshot` or `withoutPicture` is to come.
   */
  eventMessages(
    events: readonly PresenceEvent[],
    pictured?: readonly PresenceEvent[],
  ): OutgoingMessage[];
  /** Shows events as label states. Call it after they have been recorded. */
  applyEvents(events: readonly PresenceEvent[]): void;
  /** Shows who is in which zone. Call it after the events that say so have been recorded. */
  applyZones(states: readonly ZoneState[]): void;
  /**
   * The cameras there are. One that is no longer named is OFF, offline and then taken back. Throws
   * MND_MQTT_TOPIC when names collide.
   */
  setCameras(cameras: readonly PublishedCamera[]): void;
  /** `reason`: why it is not online, for people. */
  setCameraState(camera: string, state: CameraState, reason?: string | null): void;
  /** The clock was set by so many ms: times of this run that stand in retained topics move along. */
  shiftTimes(ms: number): void;
  /** Shows a result on `labels`: at most one a second and camera, and no second empty one. */
  showResult(result: Result): void;
  /**
   * JPEG of the last event, or of a request (`event` null), and when it was taken (ms since 1970). The
   * message about the event goes out after it, and the camera's next picture after that.
   */
  setSnapshot(camera: string, jpeg: Uint8Array, event?: PresenceEvent | null, time?: number): void;
  /** There will be no picture of an event: the message about it need not wait. */
  withoutPicture(event: PresenceEvent): void;
  setInfo(info: object): void;
  setHealth(health: object): void;
  setGovernor(governor: object): void;
  /** The version that runs and the latest there is. */
  setUpdate(update: object): void;
  /** Any topic of the board's table, as the table has it. */
  setBoard(topic: BoardTopic, payload: Payload): void;
  /** Any topic of the cameras' table, as the table has it. */
  setCamera(camera: string, topic: CameraTopic, payload: Payload): void;
  /** Any topic of the labels' table, as the table has it. */
  setLabel(camera: string, label: string, topic: LabelTopic, payload: Payload): void;
  /** Says every retained topic again, availability last. */
  republish(): void;
  /** Any other retained topic of ours: states of commands, discovery. */
  readonly retained: RetainedState;
  /** Events the broker refused for good. */
  refused(): number;
  /** What the broker does not take, and why. */
  delivery(): DeliveryReport;
  /** Closes everything: says that all is off and offline, sends what it can of the outbox. */
  close(): Promise<void>;
}

const CLOSE_MS = 2000;
const LAST_DRAIN_MS = 1500;
const DRAIN_LOOK_MS = 20;

/** Publishes what the rest of the daemon hands it, as the topic table of docs/mqtt.md has it. */
export function createPublisher(options: PublisherOptions): Publisher {
  return new BoardPublisher(options);
}

class BoardPublisher implements Publisher {
  readonly retained: RetainedState;
  readonly #connection: Connection;
  readonly #topics: Topics;
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #writer: TopicWriter;
  readonly #cameras: CameraStates;
  readonly #gate: PictureGate;
  readonly #snapshots: SnapshotTopics;
  readonly #drain: OutboxDrain;
  readonly #feed: ReturnType<typeof createLabelsFeed>;
  readonly #stopListening: () => void;
  /** What an earlier process left behind has been looked for. */
  #swept = false;
  /** The broker knows everything; events may go out. */
  #ready = false;
  #closing = false;
  #connects = 0;

  constructor(options: PublisherOptions) {
    const { connection, topics, outbox, version, maxEventAge: maxAge } = options;
    const { clock = backgroundClock, log = SILENT } = options;
    this.#connection = connection;
    this.#topics = topics;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#log = log;
    this.retained = createRetainedState({ connection, clock, log });
    const writer = createTopicWriter({ topics, retained: this.retained, version, maxAge });
    this.#writer = writer;
    this.#cameras = new CameraStates(topics, this.retained, writer, clock);
    this.#gate = new PictureGate(clock, options.pictureWaitMs ?? 0);
    const { pictureTimeOf = () => null } = options;
    this.#snapshots = new SnapshotTopics({
      ...{ topics, retained: this.retained, writer, gate: this.#gate },
      connected: () => connection.connected(),
    });
    this.#drain = new OutboxDrain({
      gateOf: (message) => this.#gate.of(message),
      payloadOf: ({ payload }) => withPicture(payload, pictureTimeOf),
      onSent: (message) => this.#gate.sent(message),
      connection,
      outbox,
      clock,
      log,
      propertiesOf: ({ created }) =>
        writer.properties(CAMERA_TOPICS.events, (clock.wall() - created) / 1000),
    });
    this.#feed = createLabelsFeed({
      clock,
      publish: (camera, payload) => writer.camera(camera, 'labels', payload),
    });
    connection.onConnect(() => {
      this.#ready = false;
      this.#drain.reset();
      void this.#introduce();
    });
    connection.onRelease((topic) => {
      if (this.#ready && (topic === null || topic === topics.state)) void this.#sayState('online');
    });
    this.#stopListening = outbox.onAdded(() => {
      if (this.#ready) this.#drain.wake();
    });
  }

  start(): void {
    this.#connection.start();
  }

  eventMessages(
    events: readonly PresenceEvent[],
    pictured: readonly PresenceEvent[] = [],
  ): OutgoingMessage[] {
    this.#gate.expect(pictured);
    return events.map((event) => ({
      topic: this.#topics.camera(event.camera).events,
      payload: JSON.stringify(eventPayload(event)),
      qos: CAMERA_TOPICS.events.qos,
      retain: CAMERA_TOPICS.events.retained,
    }));
  }

  applyEvents(events: readonly PresenceEvent[]): void {
    if (this.#closing) return;
    for (const event of events) this.#cameras.show(event);
  }

  applyZones(states: readonly ZoneState[]): void {
    if (this.#closing) return;
    for (const state of states) this.#cameras.zones.show(state);
  }

  setCameras(cameras: readonly PublishedCamera[]): void {
    this.#cameras.set(cameras, (gone) => this.#feed.forget(gone));
  }

  setCameraState(camera: string, state: CameraState, reason: string | null = null): void {
    if (!this.#closing) this.#cameras.setState(camera, state, reason);
  }

  shiftTimes(ms: number): void {
    if (!this.#closing) this.#cameras.shift(ms);
  }

  showResult(result: Result): void {
    if (!this.#closing) this.#feed.show(result);
  }

  setSnapshot(
    camera: string,
    jpeg: Uint8Array,
    event: PresenceEvent | null = null,
    time = this.#clock.wall(),
  ): void {
    if (!this.#closing) this.#snapshots.show({ camera, jpeg, event, time });
  }

  withoutPicture(event: PresenceEvent): void {
    this.#gate.pass(event.id);
  }

  setInfo(info: object): void {
    this.setBoard('info', info);
  }

  setHealth(health: object): void {
    this.setBoard('health', health);
  }

  setGovernor(governor: object): void {
    this.setBoard('governor', governor);
  }

  setUpdate(update: object): void {
    this.setBoard('update', update);
  }

  setBoard(topic: BoardTopic, payload: Payload): void {
    this.#writer.board(topic, payload);
  }

  setCamera(camera: string, topic: CameraTopic, payload: Payload): void {
    if (!this.#closing) this.#writer.camera(camera, topic, payload);
  }

  setLabel(camera: string, label: string, topic: LabelTopic, payload: Payload): void {
    if (!this.#closing) this.#writer.label(camera, label, topic, payload);
  }

  republish(): void {
    if (this.#ready && !this.#closing) void this.#introduce();
  }

  refused(): number {
    return this.#drain.refused();
  }

  delivery(): DeliveryReport {
    return deliveryReport(this.#connection, this.#drain, this.retained);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#feed.stop();
    if (this.#connection.connected()) {
      await Promise.race([this.#sayGoodbye(), this.#pause(CLOSE_MS)]);
    }
    this.#stopListening();
    await this.#connection.close();
  }

  /** Availability comes last: whoever waits for `online` then finds only states that are true. */
  async #introduce(): Promise<void> {
    const turn = ++this.#connects;
    const current = () => turn === this.#connects && this.#connection.connected();
    this.#ready = false;
    this.retained.republish();
    await this.retained.settled();
    if (!this.#swept && current()) {
      await sweepStale({
        connection: this.#connection,
        topics: this.#topics,
        retained: this.retained,
        cameras: this.#cameras.levels(),
        clock: this.#clock,
        log: this.#log,
      });
      // One sweep a process is enough, but one that was cut short is none.
      this.#swept = current();
      await this.retained.settled();
    }
    if (!current() || this.#closing) return;
    this.#ready = true;
    this.#drain.wake();
    await this.#sayState('online');
  }

  async #sayState(state: 'online' | 'offline'): Promise<void> {
    // A connection that is lost meanwhile is told anew.
    await this.#connection
      .publish(this.#topics.state, state, { qos: 1, retain: true })
      .catch(() => {});
  }

  async #sayGoodbye(): Promise<void> {
    this.#cameras.end();
    await this.retained.settled();
    // Also in the middle of the introduction; whatever is left then, `offline` is still said.
    this.#drain.wake();
    const until = this.#clock.now() + LAST_DRAIN_MS;
    const drains = () => this.#outbox.depth() > this.#drain.keptCount();
    const connected = () => this.#connection.connected();
    while (connected() && drains() && this.#clock.now() < until) {
      await this.#pause(DRAIN_LOOK_MS);
    }
    if (connected()) await this.#sayState('offline');
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(resolve, ms));
  }
}
