import type { Result } from '../../inference/result.js';
import { type Log, SILENT } from '../../log.js';
import type { PresenceEvent, ZoneState } from '../../presence/event.js';
import { backgroundClock, type Clock, waitAtMost } from '../../time.js';
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
import type { Publisher, PublisherOptions } from './contract.js';
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
export type { Publisher, PublisherOptions } from './contract.js';

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
      await waitAtMost(this.#clock, CLOSE_MS, this.#sayGoodbye());
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
