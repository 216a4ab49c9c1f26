import type { CameraReport, DatabaseReport, RunningReport } from '../../control/report.js';
import { taskOf } from '../../models/variant.js';
import type { StoreHealth } from '../../store/store.js';
import { decodeThrottled } from '../../thermal/throttle-flags.js';
import type { Camera } from '../cameras/camera.js';
import { noticePayload } from '../cameras/notices.js';
import type { Context } from '../context.js';
import { taughtDocument } from '../taught/document.js';
import { governorPayload } from './decisions.js';
import { secondPayload } from './health.js';
import { tenth } from './rounding.js';

export type StatusSources = Pick<
  Context,
  | 'clock'
  | 'line'
  | 'cameras'
  | 'store'
  | 'governor'
  | 'messaging'
  | 'model'
  | 'engine'
  | 'overrides'
  | 'addresses'
  | 'notifications'
  | 'spots'
  | 'inspection'
  | 'second'
  | 'taught'
>;

function modelReport({ model, engine }: Pick<Context, 'model' | 'engine'>): RunningReport['model'] {
  const { variant, ladder } = model;
  const only = engine.classesOf(variant);
  const temperatures = ladder.variants.flatMap(({ name, temperature = 1 }) =>
    temperature === 1 ? [] : [[name, Math.round(temperature * 1000) / 1000] as const],
  );
  return {
    name: variant.name,
    task: taskOf(variant.head),
    form: variant.form,
    rungs: ladder.variants.length,
    only: only?.map((index) => variant.labels[index] ?? '') ?? null,
    scores_of: ladder.scaleOf,
    temperatures: Object.fromEntries(temperatures),
  };
}

/** What `mobilenetd status` and others are answered about everything that runs. */
export function runningReport(sources: StatusSources): RunningReport {
  return {
    ...passingReport(sources),
    ...lastingReport(sources),
    cameras: sources.cameras
      .list()
      .map((camera) => cameraReport(camera, heldBy(sources, camera.name))),
  };
}

/** What of it may be another the next second. */
export function passingReport(
  sources: Omit<StatusSources, 'cameras' | 'spots'>,
): Omit<RunningReport, 'cameras' | keyof ReturnType<typeof lastingReport>> {
  const { clock, line, store, governor, messaging } = sources;
  const reading = line.meter.read(clock.now());
  const heat = governor.heat();
  const flags = heat?.flags ?? null;
  const throttled = flags === null ? null : decodeThrottled(flags);
  const state = governor.state();
  return {
    model: modelReport(sources),
    second: secondPayload(sources.second.network?.report() ?? null),
    taught: taughtDocument(sources.taught, runningVariant(sources)),
    governor: state?.governs ? governorPayload(state, clock.wall()) : null,
    fps: tenth(reading.fps),
    latency_ms: tenth(reading.latencyMs),
    age_ms: tenth(reading.ageMs),
    temperature: tenth(heat?.tempC ?? null),
    throttled: throttled?.heat ?? null,
    undervoltage: throttled?.undervoltage ?? null,
    broker: {
      url: messaging.address,
      embedded: messaging.isEmbedded,
      connected: messaging.connected(),
      fault: messaging.fault(),
      delivery: messaging.publisher.delivery(),
      device_rival: messaging.deviceRival,
    },
    outbox: store.outbox.depth(),
    dropped_messages: store.outbox.dropped(),
    failed: line.scheduler.stats().failed,
    database: databaseReport(store.health()),
    page: sources.addresses.page,
    page_error: sources.addresses.pageError,
  };
}

/** The variant whose figures are shown: that of most frames, or the one that runs first. */
function runningVariant({ governor, model }: Pick<StatusSources, 'governor' | 'model'>): string {
  const state = governor.state();
  if (state === null) return model.variant.name;
  if (!state.governs) return state.variant.name;
  const { mix } = state.decision;
  const most = mix.fraction >= 0.5 ? mix.high : mix.low;
  return state.rungs[most]?.name ?? model.variant.name;
}

/** What of it stays for a while; reading it takes the database. */
export function lastingReport({
  overrides,
  notifications,
  inspection,
}: Pick<StatusSources, 'overrides' | 'notifications' | 'inspection'>): Pick<
  RunningReport,
  'overrides' | 'notify' | 'found'
> {
  return {
    overrides: overrides.list(),
    notify: notifications.reports(),
    found: inspection?.found() ?? [],
  };
}

function databaseReport({ writable, error, since, waiting, dropped }: StoreHealth): DatabaseReport {
  return {
    writable,
    error,
    since: since === null ? null : new Date(since).toISOString(),
    waiting,
    dropped_detections: dropped.detections,
    dropped_events: dropped.events,
  };
}

/** What spots of a camera have kept back. */
function heldBy({ spots }: Pick<StatusSources, 'spots'>, camera: string): number {
  const own = spots.list().filter((spot) => spot.camera === camera);
  return own.reduce((sum, { held }) => sum + held, 0);
}

function cameraReport(camera: Camera, held: number): CameraReport {
  return {
    name: camera.name,
    held,
    status: camera.status(),
    reason: camera.reason(),
    fps: tenth(camera.fps),
    slowed_fps: camera.streamFps() < camera.fps ? tenth(camera.streamFps()) : null,
    present: camera.presence.present().map(({ label }) => label),
    dropped: camera.slot.stats().dropped,
    notices: camera.notices.list().map(noticePayload),
  };
}
