import type { Result } from '../../inference/result.js';
import type { Log } from '../../log.js';
import type { PresenceEvent, ZoneState } from '../../presence/event.js';
import type { Clock } from '../../time.js';
import type { Connection } from '../connection/connection.js';
import type { Outbox, OutgoingMessage } from '../message.js';
import type { BoardTopic, CameraTopic, LabelTopic, Topics } from '../topics.js';
import type { CameraState, PublishedCamera } from './camera-states.js';
import type { DeliveryReport } from './delivery.js';
import type { RetainedState } from './retained.js';
import type { Payload } from './topic-writer.js';

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
