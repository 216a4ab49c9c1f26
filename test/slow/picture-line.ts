import { join } from 'node:path';
import sharp from 'sharp';
import type { Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import type { EventPictures, Notifications } from '#mobilenetd/daemon/context.js';
import { createLog } from '#mobilenetd/daemon/diagnostics/log.js';
import { Recorder } from '#mobilenetd/daemon/line/recorder.js';
import type { Messaging } from '#mobilenetd/daemon/messaging.js';
import { startEventPictures } from '#mobilenetd/daemon/outputs/event-pictures.js';
import { startLabelStates } from '#mobilenetd/daemon/outputs/label-states.js';
import { startNotifications } from '#mobilenetd/daemon/outputs/notifications.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import type { Presence } from '#mobilenetd/presence/presence.js';
import { openStore } from '#mobilenetd/store/store.js';
import { systemClock } from '#mobilenetd/time.js';
import { lastingFolder } from '../lasting-folder.js';
import { WHOLE_PICTURE } from '../whole-picture.js';

const BITS = 12;
const BLOCK = 32;
const [WIDTH, HEIGHT] = [BITS * BLOCK, 64];
/** Scores tell which frame an event is of, too: four decimals reach the subscriber. */
const LEAST_SCORE = 0.5;
const SCORE_STEP = 0.0002;
/** A busy machine must not decide the test: no event goes without its picture. */
const PATIENCE_MS = 120_000;

/** A frame that carries a number in black and white blocks. */
export function markedFrame(camera: string, number: number): Frame {
  const bytes = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let index = 0; index < bytes.length; index += 1) {
    const block = Math.floor((Math.floor(index / 3) % WIDTH) / BLOCK);
    bytes[index] = (number >> block) & 1 ? 255 : 0;
  }
  return {
    ...{ camera, sequence: number, capturedAt: performance.now(), time: Date.now() },
    ...{ width: WIDTH, height: HEIGHT, format: 'rgb24', range: 'full', bytes },
  };
}

/** The number in a picture of such a frame. */
export async function markOf(jpeg: Uint8Array): Promise<number> {
  const { data } = await sharp(jpeg).greyscale().raw().toBuffer({ resolveWithObject: true });
  const row = WIDTH * (HEIGHT / 2);
  return Array.from({ length: BITS }, (_, block) =>
    (data[row + block * BLOCK + BLOCK / 2] ?? 0) > 128 ? 1 << block : 0,
  ).reduce((sum, bit) => sum + bit, 0);
}

/** The number of the frame that an event is of. */
export function numberOf(score: number): number {
  return Math.round((score - LEAST_SCORE) / SCORE_STEP);
}

/** Every result is a new event; what hovers is not waited for, as the real one would. */
function restlessPresence(camera: string): Presence {
  let last = 0;
  let open: PresenceEvent | null = null;
  const ended = (time: number): PresenceEvent[] =>
    open === null ? [] : [{ ...open, type: 'end', end: time }];
  const presence: Partial<Presence> = {
    update({ time, labels: [seen], model, alpha, size }) {
      last += 1;
      const events = ended(time);
      open = {
        ...{ id: `${camera}-${process.pid}-${last}`, type: 'new', camera, start: time, end: null },
        ...{ label: seen?.label ?? '', score: seen?.score ?? 0, count: 1, box: null },
        ...{ model, alpha, size, ...WHOLE_PICTURE },
      };
      return [...events, open];
    },
    tick: () => [],
    present: () => [],
    open: () => [],
    zones: () => [],
    zoneChanges: () => [],
    shift() {},
    end: () => ended(Date.now()),
  };
  return presence as Presence;
}

export interface LineOptions {
  /** The state folder. */
  readonly folder: string;
  readonly url: string;
  readonly cameras: readonly string[];
  readonly rules?: object;
  /** The longest that an event waits for its picture, ms. */
  readonly patienceMs?: number;
}

/** {@link openLine} in a folder of the test, with whose end it ends. */
export async function startLine(t: Test, options: Omit<LineOptions, 'folder'>) {
  const folder = lastingFolder(t);
  const line = await openLine({ ...options, folder });
  t.teardown(() => line.close());
  return { ...line, folder };
}

/**
 * Everything behind the network, as the daemon builds it: presence, store, pictures, rules and
 * publisher, at a real broker. Each frame that is shown begins an event and ends the one before.
 */
export async function openLine(options: LineOptions) {
  const { folder, url, cameras, rules = {}, patienceMs = PATIENCE_MS } = options;
  const map = Object.fromEntries(cameras.map((name) => [name, { source: 'demo' }]));
  const { config } = loadConfig({
    env: {},
    systemFile: '/none',
    flags: { node: 'board', state_dir: folder, cameras: map, notify: rules },
  });
  const log = createLog({ level: 'silent', format: 'json', destination: process.stderr });
  const signals = new Signals(log);
  const store = openStore({
    file: join(folder, 'mobilenetd.db'),
    ...{ commitInterval: 0.5, detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 } },
    outbox: { maxAge: 3600, maxRows: 50_000 },
  });
  const topics = createTopics({ base: 'mobilenetd', node: 'board' });
  const connection = createConnection({ url, clientId: 'board' });
  const eventPictures: EventPictures = { shelf: null, isWanted: () => false, figures: () => null };
  const publisher = createPublisher({
    ...{ connection, topics, outbox: store.outbox, version: '1', maxEventAge: 3600 },
    pictureWaitMs: patienceMs,
    pictureTimeOf: (id) => eventPictures.shelf?.timeOf(id) ?? null,
  });
  const notifications: Notifications = { noticesOf: () => [], reports: () => [] };
  const messaging = {
    ...{ publisher, connection, topics },
    connected: () => connection.connected(),
    fault: () => null,
  } as unknown as Messaging;
  const clock = systemClock;
  const context = {
    clock,
    config,
    signals,
    store,
    log,
    messaging,
    eventPictures,
    notifications,
    env: {},
  };
  const stops = [
    startLabelStates(context),
    await startEventPictures(context),
    await startNotifications(context),
  ];
  const recorder = new Recorder({
    store,
    signals,
    messagesOf: (events, result) =>
      publisher.eventMessages(
        events,
        result === null ? [] : events.filter((event) => eventPictures.isWanted(event)),
      ),
    noticesOf: (events) => notifications.noticesOf(events),
  });
  const watched = new Map(
    cameras.map((name) => {
      const presence = restlessPresence(name);
      return [name, { name, presence, filter: (given: Result) => given }] as const;
    }),
  );
  publisher.setCameras(cameras.map((name) => ({ name, labels: [] })));
  recorder.recover(new Set(cameras));
  publisher.start();
  const close = async (): Promise<void> => {
    for (const stop of stops) await stop();
    await publisher.close();
    store.close();
  };
  /** A camera shows a frame with a number; labels take turns, so that each is an event. */
  const show = (name: string, number: number) => {
    const camera = watched.get(name);
    if (camera === undefined) throw new Error(`no camera ${name}`);
    const frame = markedFrame(name, number);
    const label = number % 2 === 0 ? 'even' : 'odd';
    recorder.record(
      camera,
      {
        ...{ camera: name, sequence: frame.sequence, capturedAt: frame.capturedAt },
        ...{ time: frame.time, model: 'm', alpha: 1, size: 128 },
        timings: { decode: 0, preprocess: 0, inference: 1, postprocess: 0 },
        labels: [{ index: 0, label, score: LEAST_SCORE + number * SCORE_STEP, box: null }],
      },
      frame,
    );
    // The memory is the source's again.
    frame.bytes.fill(0);
  };
  return { config, store, publisher, notifications, recorder, show, close };
}
