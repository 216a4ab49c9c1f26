import type { MessageProperties } from '../message.js';
import {
  BOARD_TOPICS,
  type BoardTopic,
  CAMERA_TOPICS,
  type CameraTopic,
  LABEL_TOPICS,
  type LabelTopic,
  type TopicForm,
  type Topics,
  ZONE_TOPICS,
  type ZoneTopic,
} from '../topics.js';
import type { RetainedState } from './retained.js';

/** Text and pictures as they are; an object becomes JSON. */
export type Payload = string | Uint8Array | object;

export interface TopicWriterOptions {
  readonly topics: Topics;
  readonly retained: RetainedState;
  /** Of this program; goes along as a user property on MQTT 5. */
  readonly version: string;
  /** Seconds after which nothing is worth delivering. */
  readonly maxAge: number;
}

/** Sets retained topics as the tables of topics.ts have them: QoS, content type, expiry. */
export interface TopicWriter {
  board(topic: BoardTopic, payload: Payload): void;
  camera(camera: string, topic: CameraTopic, payload: Payload): void;
  label(camera: string, label: string, topic: LabelTopic, payload: Payload): void;
  zone(camera: string, zone: string, label: string, topic: ZoneTopic, payload: Payload): void;
  /** Properties of what is published in a form, `age` seconds after it was recorded. */
  properties(form: TopicForm, age?: number): MessageProperties | undefined;
}

const CONTENT_TYPES = { text: null, json: 'application/json', jpeg: 'image/jpeg' } as const;

export function createTopicWriter(options: TopicWriterOptions): TopicWriter {
  const { topics, retained, version, maxAge } = options;

  function properties(form: TopicForm, age = 0): MessageProperties | undefined {
    const contentType = CONTENT_TYPES[form.content];
    if (contentType === null) return undefined;
    // An event is not retained: a broker keeps it for those who are away, as long as we would.
    const expiry = form.retained ? form.expiry : maxAge;
    return {
      contentType,
      ...(form.content === 'json' && { userProperties: { version } }),
      ...(expiry !== undefined && {
        messageExpiryInterval: Math.max(1, Math.ceil(Math.min(expiry, maxAge) - age)),
      }),
    };
  }

  function write(topic: string, form: TopicForm, payload: Payload): void {
    const plain = typeof payload === 'string' || payload instanceof Uint8Array;
    const more = properties(form);
    retained.set(topic, plain ? payload : JSON.stringify(payload), {
      qos: form.qos,
      ...(more && { properties: more }),
    });
  }

  return {
    properties,
    board: (topic, payload) => write(topics[topic], BOARD_TOPICS[topic], payload),
    camera: (camera, topic, payload) =>
      write(topics.camera(camera)[topic], CAMERA_TOPICS[topic], payload),
    label: (camera, label, topic, payload) =>
      write(topics.camera(camera)[topic](label), LABEL_TOPICS[topic], payload),
    zone: (camera, zone, label, topic, payload) =>
      write(topics.camera(camera)[topic](zone, label), ZONE_TOPICS[topic], payload),
  };
}
