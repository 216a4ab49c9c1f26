import { codedError } from '#mobilenetd/errors.js';
import type {
  Happening,
  LivePicture,
  NewestLabels,
  PageSource,
} from '#mobilenetd/http/contract.js';

export interface FakeSource extends PageSource {
  /** Tells viewers. */
  tell(happening: Happening): void;
  /** Delivers the frame that is waited for. */
  deliver(picture: LivePicture): void;
  /** Pictures that were asked of the daemon. */
  coded(): number;
  /** What was done, in words. */
  readonly done: string[];
  healthy: boolean;
  /** What is on the newest frame. */
  newest: readonly NewestLabels[];
}

export const EVENT = {
  id: '0190',
  type: 'end',
  camera: 'front',
  label: '=person',
  score: 0.91,
  start: '2026-11-29T10:00:00.000Z',
  end: '2026-11-29T10:00:05.000Z',
  model: 'ssd_300',
  alpha: null,
  size: 300,
  count: 1,
  box: [1, 2, 3, 4],
  object: 'o1',
  stationary: false,
  zones: ['porch', 'steps'],
  loitering: [],
  sub_label: null,
  sub_score: null,
};

const RECORDING = {
  ...{ id: '1', state: 'recording', left_s: 12.5, error: null, code: null },
  ...{ figures: null, advice: [{ code: 'too_few', label: 'parcel', text: 'Add some.' }] },
  ...{ offered: 30, kept: 12, same: 18, small: 2, empty: 0, idle_s: 0.2 },
};

const SPOT = {
  ...{ id: '1', camera: 'front', label: 'person', box: [1, 2, 3, 4], size: [640, 480] },
  ...{ event: EVENT.id, created: EVENT.start, held: 3, last: null },
};

const CAMERA = {
  name: 'front',
  title: 'Front',
  status: 'online',
  reason: null,
  fps: 5,
  age_ms: 20,
  detect: true,
  threshold: 0.6,
  size: [640, 480],
  areas: [{ kind: 'mask', name: '1', title: '1', points: [[0, 0]] }],
  present: [{ label: 'person', score: 0.9, since: '2026-11-29T10:00:00.000Z', box: [1, 2, 3, 4] }],
  labels: [{ label: 'person', score: 0.9, box: [1, 2, 3, 4] }],
  notices: [
    { kind: 'refused', count: 2, since: EVENT.start, last: EVENT.end, message: 'no picture' },
  ],
};

/** A daemon as the page sees it, without a daemon. */
export function createFakeSource(): FakeSource {
  const listeners = new Set<(happening: Happening) => void>();
  const done: string[] = [];
  let waiting: ((picture: LivePicture) => void) | null = null;
  let coded = 0;
  return {
    done,
    healthy: true,
    newest: [],
    tell: (happening) => {
      for (const listener of listeners) listener(happening);
    },
    deliver: (picture) => waiting?.(picture),
    coded: () => coded,
    state: () => ({
      time: '2026-11-29T10:00:00.000Z',
      version: '1.2.3',
      node: 'porch',
      uptime_s: 5,
      phase: 'running',
      doing: 'fetching the network ssd_300: 40 % of 12 MB …',
      found: ['camera: USB (v4l2, /dev/video0), found by itself'],
      rss_mb: 100,
      fps: 5,
      latency_ms: 10,
      age_ms: 20,
      temperature: 61.5,
      throttled: null,
      undervoltage: null,
      model: {
        ...{ name: 'ssd_300', task: 'detect', form: 'exact' },
        ...{ rungs: 1, only: null, scores_of: null, temperatures: {} },
      },
      governor: null,
      broker: { url: 'mqtt://127.0.0.1', embedded: true, connected: true, delivery: {} },
      outbox: 0,
      dropped_messages: 0,
      store: { writable: true, error: null, waiting: 0, size_mb: 0.5, free_mb: null },
      viewers: 0,
      overrides: [{ key: 'threshold/front', value: '0.7', configured: '0.6' }],
      notify: [],
      settings: { pin: 'auto', pinnable: ['ssd_300'], limit: null },
      cameras: [CAMERA],
    }),
    cameras: () => [CAMERA],
    labels() {
      return this.newest;
    },
    governor: () => ({
      state: null,
      ladder: [{ name: 'ssd_300', alpha: null, size: 300, cost_ms: 12, accuracy: 70, share: 1 }],
      forecast: [{ s: 0, low: 60, expected: 61, high: 62 }],
    }),
    models: () => [
      { name: 'ssd_300', family: 'ssd', task: 'detect', alpha: null, size: 300, form: 'exact' },
    ],
    doctor: async () => [
      { check: 'clock', subject: 'time', level: 'ok', found: 'right', means: null, next: null },
    ],
    config: () => ({
      yaml: 'node: porch\n',
      values: [{ key: 'node', value: 'porch', origin: 'x' }],
    }),
    logs: (limit) => ['one', 'two'].slice(-limit),
    history: (range) => ({ range, points: [] }),
    events: ({ label }) => (label === undefined || label === EVENT.label ? [EVENT] : []),
    event: (id) =>
      id === EVENT.id
        ? { event: EVENT, scores: [{ time: EVENT.start, score: 0.9, box: [1, 2, 3, 4] }] }
        : null,
    spots: () => [SPOT],
    eventPicture: async (id) => (id === EVENT.id ? Uint8Array.of(255, 216) : null),
    hasCamera: (name) => name === 'front' || name === 'back',
    away: (name) => (name === 'back' ? 'no route to host' : null),
    taught: () => ({ tasks: [], unusable: [], recordings: [], error: null }),
    nextPicture() {
      coded += 1;
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
    pictureIntervalMs: () => 500,
    isHealthy() {
      return this.healthy;
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    actions: {
      setDetect: async (camera, on) => void done.push(`detect ${camera} ${on}`),
      setThreshold: async (camera, threshold) => void done.push(`threshold ${camera} ${threshold}`),
      snapshot: async (camera) => void done.push(`snapshot ${camera}`),
      async setPin(variant) {
        if (variant !== 'auto') throw codedError('MND_MODEL_UNKNOWN', { subject: variant });
        done.push('pin auto');
      },
      setLimit: async (limit) => void done.push(`limit ${limit}`),
      reload: async () => 'nothing has changed',
      async teach({ do: deed, label = null }) {
        done.push(`teach ${deed} ${label}`);
        const isTakenBack = deed === 'undo' || deed === 'forget';
        return isTakenBack ? { removed: 12, labels: ['parcel'] } : RECORDING;
      },
      checkConfig: async (yaml) => (yaml.includes('bad') ? ['line 1: bad'] : []),
      async wrong(id) {
        if (id !== EVENT.id) throw codedError('MND_INPUT_MISSING', { subject: 'wrong' });
        done.push(`wrong ${id}`);
        return SPOT;
      },
      async undoWrong(id) {
        done.push(`undo ${id}`);
        return SPOT;
      },
      forget: async (id) => void done.push(`forget ${id}`),
    },
  };
}
