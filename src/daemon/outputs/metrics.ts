import { collectDefaultMetrics, Registry } from 'prom-client';
import { VERSION } from '../../package-root.js';
import { decodeThrottled } from '../../thermal/throttle-flags.js';
import type { Context } from '../context.js';
import { countEvents, countRestarts } from './event-metrics.js';
import { MetricFamilies } from './metric-families.js';
import { readSecond } from './second-metrics.js';

/** Seconds of one inference: from the smallest network on a PC to the largest on a Pi 3. */
const INFERENCE_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
/** Seconds of one transaction: from memory to a worn card that syncs. */
const COMMIT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
/** Defaults of the library whose names break the rules of Prometheus (`_total` is for what is counted). */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);
/** Between two looks at how late the event loop is, ms. */
const LAG_MS = 100;
const MODES = ['full', 'limited', 'emergency', 'coasting', 'fault', 'off'];
/** Labels of one camera that get a series of their own; what else is seen counts as `other`. */
const MAX_LABELS = 100;

/**
 * What happens, for Prometheus: names begin with `mobilenetd_`, units are base units, shares run from 0
 * to 1. Counted by signals; what can be read is read when somebody asks.
 */
export class DaemonMetrics {
  readonly contentType: string;
  readonly #context: Context;
  readonly #registry = new Registry();
  readonly #families = new MetricFamilies(this.#registry);
  readonly #stopListening: readonly (() => void)[];
  readonly #labels = new Map<string, Set<string>>();
  #viewers: () => number = () => 0;
  #hasDefaults = false;

  constructor(context: Context) {
    this.#context = context;
    this.contentType = this.#registry.contentType;
    this.#stopListening = [
      countEvents(this.#families, context, (camera, label) => this.#bounded(camera, label)),
      ...this.#countFrames(),
      countRestarts(this.#families, context),
      this.#timeCommits(),
    ];
    this.#readCameras();
    this.#readHeat();
    this.#readStore();
    this.#readBroker();
    this.#readPage();
    readSecond(this.#families, () => context.second.network);
  }

  /** @param viewers how many look at the page now */
  countViewers(viewers: () => number): void {
    this.#viewers = viewers;
  }

  read(): Promise<string> {
    // Node's default metrics wake the process up: not before somebody asks.
    if (!this.#hasDefaults) {
      collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LAG_MS });
      for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
      this.#hasDefaults = true;
    }
    return this.#registry.metrics();
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
    this.#registry.clear();
  }

  #countFrames(): readonly (() => void)[] {
    const duration = this.#families.histogram(
      'inference_duration_seconds',
      'Time of one inference.',
      ['variant'],
      INFERENCE_BUCKETS,
    );
    const labelled = new Map<string, number>();
    this.#families.counter(
      'frames_total',
      'Frames by what became of them.',
      ['camera', 'result'],
      (counter) => {
        for (const { name, slot } of this.#context.cameras.list()) {
          const { dropped, skipped } = slot.stats();
          counter.inc({ camera: name, result: 'labelled' }, labelled.get(name) ?? 0);
          counter.inc({ camera: name, result: 'dropped' }, dropped);
          counter.inc({ camera: name, result: 'unmoved' }, skipped);
        }
      },
    );
    return [
      this.#context.signals.on('labelled', ({ result }) => {
        duration.observe({ variant: result.model }, result.timings.inference / 1000);
        labelled.set(result.camera, (labelled.get(result.camera) ?? 0) + 1);
      }),
      this.#context.signals.on('cameras', ({ removed }) => {
        for (const name of removed) {
          labelled.delete(name);
          this.#labels.delete(name);
        }
      }),
    ];
  }

  #readCameras(): void {
    const cameras = () => this.#context.cameras.list();
    this.#families.gauge('build_info', 'The version; always 1.', ['version', 'node'], (gauge) =>
      gauge.set({ version: VERSION, node: process.version }, 1),
    );
    this.#families.gauge(
      'camera_up',
      'Whether a camera that is on delivers.',
      ['camera'],
      (gauge) => {
        for (const camera of cameras()) {
          if (!camera.enabled()) continue;
          gauge.set({ camera: camera.name }, camera.status() === 'online' ? 1 : 0);
        }
      },
    );
    this.#families.gauge(
      'label_age_seconds',
      'From a frame to its labels, median of ten seconds.',
      ['camera'],
      (gauge) => {
        for (const { name, meter } of cameras()) {
          const { ageMs } = meter.read(this.#context.clock.now());
          if (ageMs !== null) gauge.set({ camera: name }, ageMs / 1000);
        }
      },
    );
    this.#families.gauge(
      'label_present',
      'Whether a label is present.',
      ['camera', 'label'],
      (gauge) => {
        for (const camera of cameras()) {
          for (const label of this.#labels.get(camera.name) ?? []) {
            gauge.set({ camera: camera.name, label }, 0);
          }
          for (const { label } of camera.presence.present()) {
            gauge.set({ camera: camera.name, label: this.#bounded(camera.name, label) }, 1);
          }
        }
      },
    );
  }

  #readHeat(): void {
    const governor = () => this.#context.governor;
    this.#families.gauge('temperature_celsius', 'Temperature of the CPU.', [], (gauge) => {
      const tempC = governor().heat()?.tempC ?? null;
      if (tempC !== null) gauge.set(tempC);
    });
    this.#families.gauge('governor_limit_celsius', 'Temperature never to reach.', [], (gauge) => {
      const limit = governor().limitC();
      if (limit !== null) gauge.set(limit);
    });
    this.#families.gauge(
      'governor_budget_ratio',
      'Share of each second for inference.',
      [],
      (gauge) => {
        const state = governor().state();
        if (state?.governs) gauge.set(state.decision.budget);
      },
    );
    this.#families.gauge(
      'governor_frame_ratio',
      'Share of the frames that a variant labels.',
      ['variant'],
      (gauge) => {
        const state = governor().state();
        if (!state?.governs) return;
        const { low, high, fraction } = state.decision.mix;
        for (const [index, { name }] of state.rungs.entries()) {
          const share = (index === high ? fraction : 0) + (index === low ? 1 - fraction : 0);
          gauge.set({ variant: name }, share);
        }
      },
    );
    this.#families.gauge(
      'governor_mode',
      'What the governor does: 1 for the mode it is in.',
      ['mode'],
      (gauge) => {
        const state = governor().state();
        const current = state?.governs ? state.decision.mode : 'off';
        for (const mode of MODES) gauge.set({ mode }, mode === current ? 1 : 0);
      },
    );
    this.#families.gauge('throttled', 'What the firmware says of now.', ['reason'], (gauge) => {
      const flags = governor().heat()?.flags ?? null;
      if (flags === null) return;
      const { heat, undervoltage } = decodeThrottled(flags);
      gauge.set({ reason: 'heat' }, heat ? 1 : 0);
      gauge.set({ reason: 'undervoltage' }, undervoltage ? 1 : 0);
    });
  }

  #readStore(): void {
    const { store } = this.#context;
    this.#families.gauge('outbox_messages', 'Messages that wait for the broker.', [], (gauge) =>
      gauge.set(store.outbox.depth()),
    );
    this.#families.counter('outbox_dropped_total', 'Messages that were given up.', [], (counter) =>
      counter.inc(store.outbox.dropped()),
    );
    this.#families.gauge('store_writable', 'Whether the database can be written.', [], (gauge) =>
      gauge.set(store.health().writable ? 1 : 0),
    );
    this.#families.gauge('store_size_bytes', 'The database and its write-ahead log.', [], (gauge) =>
      gauge.set(store.sizeBytes()),
    );
    this.#families.gauge('store_waiting_events', 'Events that wait for the disk.', [], (gauge) =>
      gauge.set(store.health().waiting),
    );
    this.#families.counter(
      'store_dropped_detections_total',
      'Detections the disk did not take.',
      [],
      (counter) => counter.inc(store.health().dropped.detections),
    );
  }

  #timeCommits(): () => void {
    const duration = this.#families.histogram(
      'store_commit_duration_seconds',
      'Time of one transaction of the database.',
      [],
      COMMIT_BUCKETS,
    );
    return this.#context.store.onCommit((ms) => duration.observe(ms / 1000));
  }

  #readPage(): void {
    this.#families.gauge('http_viewers', 'Tabs that look at the page now.', [], (gauge) =>
      gauge.set(this.#viewers()),
    );
  }

  #readBroker(): void {
    let connects = 0;
    let watched: object | null = null;
    const count = (): number => {
      const { connection } = this.#context.messaging;
      if (connection !== watched) {
        // Another broker was configured; the connection there is now may stand already.
        watched = connection;
        if (connection.connected()) connects += 1;
        connection.onConnect(() => {
          connects += 1;
        });
      }
      return connects;
    };
    count();
    this.#families.gauge('mqtt_connected', 'Whether the broker has us.', [], (gauge) =>
      gauge.set(this.#context.messaging.connected() ? 1 : 0),
    );
    this.#families.counter('mqtt_reconnects_total', 'Connections after the first.', [], (counter) =>
      counter.inc(Math.max(0, count() - 1)),
    );
  }

  /** A label as a label of Prometheus: no camera makes more series than it may. */
  #bounded(camera: string, label: string): string {
    const known = this.#labels.get(camera) ?? new Set();
    this.#labels.set(camera, known);
    if (known.has(label)) return label;
    if (known.size >= MAX_LABELS) return 'other';
    known.add(label);
    return label;
  }
}
