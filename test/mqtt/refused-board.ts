import { join } from 'node:path';
import type { Test } from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { systemClock } from '#mobilenetd/time.js';
import { scratchFolder } from '../scratch-folder.js';
import { WHOLE_PICTURE } from '../whole-picture.js';

export const ROOT = 'mobilenetd/porch';
export const EVENTS = `${ROOT}/front/events`;
/** Waits of the connection are so many times as short. */
export const SPEED = 20;

export function event(more: Partial<PresenceEvent> = {}): PresenceEvent {
  return {
    ...{ id: 'e1', type: 'new', camera: 'front', label: 'person', score: 0.8 },
    ...{ start: 1e12, end: null, model: 'ssd_300', alpha: 1, size: 300, count: 1, box: null },
    ...WHOLE_PICTURE,
    ...more,
  };
}

/** A board as the daemon wires it. */
export function startBoard(
  t: Test,
  url: string,
  protocol: 'auto' | 4 | 5 = 'auto',
  speed = SPEED,
  rare = SPEED,
) {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  const log = { debug() {}, info: write, warn: write, error: write };
  const store = openStore({
    // Several boards of one test must not share a file.
    file: join(scratchFolder('mobilenetd-refusals'), 'mobilenetd.db'),
    commitInterval: 0.05,
    detectionInterval: 1,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 1e9, maxRows: 5000 },
  });
  const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
  const connection = createConnection({
    ...{ url, protocol, log, clientId: 'mobilenetd-porch', random: () => 0 },
    will: { topic: topics.state, payload: 'offline' },
    // What is rare, as the retry of what cost the connection, comes soon.
    clock: {
      ...systemClock,
      setTimer: (run, ms) =>
        systemClock.setTimer(run, ms / (ms > 100_000 ? rare : ms === 10_000 ? 2 : speed)),
    },
  });
  const { outbox } = store;
  const publisher = createPublisher({
    ...{ connection, topics, outbox, log, version: '1', maxEventAge: 1e9 },
  });
  publisher.setCameras([{ name: 'front', labels: ['person', 'cat', 'dog', 'coffee mug'] }]);
  t.teardown(async () => {
    await publisher.close();
    store.close();
  });
  const show = (...events: PresenceEvent[]) => {
    store.recordEvents(events, publisher.eventMessages(events));
    publisher.applyEvents(events);
  };
  return { connection, publisher, outbox, lines, show, topics };
}
