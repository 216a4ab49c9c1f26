import { join } from 'node:path';
import type { Test } from 'tap';
import type { Result } from '#mobilenetd/inference/result.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore, type StoreOptions } from '#mobilenetd/store/store.js';
import type { Clock } from '#mobilenetd/time.js';
import { WHOLE_PICTURE } from '../whole-picture.js';

export const START = Date.UTC(2026, 5, 1, 12);

/** A clock and timers that move only when told to. */
export function createTime(start = START) {
  let time = start;
  let next = 0;
  let offset = 0;
  const due = new Map<number, { at: number; callback: () => void }>();
  return {
    clock: {
      wall: () => time + offset,
      now: () => time - start,
      setTimer(callback: () => void, delay: number) {
        const id = ++next;
        due.set(id, { at: time + delay, callback });
        return () => void due.delete(id);
      },
    } satisfies Clock,
    /** Sets the wall clock without moving time. */
    set(ms: number) {
      offset = ms - time;
    },
    advance(ms: number) {
      const end = time + ms;
      for (;;) {
        const [id, timer] =
          [...due].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0] ?? [];
        if (id === undefined || timer === undefined) break;
        due.delete(id);
        time = Math.max(time, timer.at);
        timer.callback();
      }
      time = end;
    },
    pending: () => due.size,
  };
}

export function createLog() {
  const lines: { level: string; message: string }[] = [];
  const write = (level: string) => (_fields: object, message: string) =>
    void lines.push({ level, message });
  return { lines, debug() {}, info: write('info'), warn: write('warn'), error: write('error') };
}

export function setup(test: Test, more: Partial<StoreOptions> = {}) {
  const file = more.file ?? join(test.testdir(), 'mobilenetd.db');
  const time = createTime();
  const log = createLog();
  const options: StoreOptions = {
    file,
    commitInterval: 2,
    detectionInterval: 1,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 3600, maxRows: 1000 },
    clock: time.clock,
    log,
    ...more,
  };
  return { file, time, log, options, open: () => openStore(options) };
}

export function event(more: Partial<PresenceEvent> = {}): PresenceEvent {
  return {
    id: 'e1',
    type: 'new',
    camera: 'front',
    label: 'person',
    score: 0.8,
    start: START,
    end: null,
    model: 'ssd',
    alpha: 1,
    size: 300,
    count: 1,
    box: [1, 2, 3, 4],
    ...WHOLE_PICTURE,
    ...more,
  };
}

export function message(text: string) {
  return { topic: 'base/node/front/events', payload: text, qos: 1, retain: false } as const;
}

export function result(time: number, labels: [string, number][], camera = 'front'): Result {
  return {
    camera,
    sequence: 1,
    capturedAt: 0,
    time,
    model: 'ssd',
    alpha: 1,
    size: 300,
    timings: { decode: 0, preprocess: 0, inference: 0, postprocess: 0 },
    labels: labels.map(([label, score], index) => ({ index, label, score, box: null })),
  };
}
