import type { SecondPayload } from '../../control/report.js';
import { taskName } from '../../taught/task.js';
import { decodeThrottled } from '../../thermal/throttle-flags.js';
import { every } from '../../time.js';
import type { Camera } from '../cameras/camera.js';
import { noticePayload } from '../cameras/notices.js';
import type { Context } from '../context.js';
import type { SecondReport } from '../second-network.js';
import { energyPayload } from './decisions.js';
import { publicStatus } from './label-states.js';
import type { StopOutput } from './output.js';
import { tenth } from './rounding.js';

/** What health is read from. */
export type HealthSources = Pick<
  Context,
  | 'clock'
  | 'store'
  | 'line'
  | 'cameras'
  | 'governor'
  | 'daemon'
  | 'messaging'
  | 'eventPictures'
  | 'notifications'
  | 'second'
  | 'taught'
>;

const HEALTH_MS = 60_000;
/** The first figures come early, so that a new subscriber finds some. */
const FIRST_HEALTH_MS = 5000;
const LOOK_MS = 5000;

/** Publishes `<base>/health` once a minute; `context` is asked anew every time. */
export function startHealth(context: HealthSources): StopOutput {
  const publish = () => context.messaging.publisher.setHealth(healthPayload(context));
  // At another broker there are figures already.
  const hasRun = context.daemon.phase() === 'running';
  if (hasRun) publish();
  // A disk that fails, or works again, is not news for the next minute.
  let wasWritable = context.store.health().writable;
  const look = () => {
    const { writable } = context.store.health();
    if (writable === wasWritable) return;
    wasWritable = writable;
    publish();
  };
  const { clock } = context;
  const stops = [
    ...(hasRun ? [] : [clock.setTimer(publish, FIRST_HEALTH_MS)]),
    every(clock, HEALTH_MS, publish),
    every(clock, LOOK_MS, look),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Payload of `<base>/health`. Times in milliseconds, memory in MB (10⁶ bytes). */
export function healthPayload(sources: HealthSources): Record<string, unknown> {
  const { clock, store, line, cameras, governor, daemon, messaging, eventPictures, notifications } =
    sources;
  const now = clock.now();
  const reading = line.meter.read(now);
  const heat = governor.heat();
  const flags = heat?.flags ?? null;
  const throttled = flags === null ? null : decodeThrottled(flags);
  const state = governor.state();
  const database = store.health();
  const all = cameras.list();
  return {
    time: new Date(clock.wall()).toISOString(),
    temperature: tenth(heat?.tempC ?? null),
    sensor_fault: state?.governs === true ? state.decision.fault : null,
    energy: state?.governs === true ? energyPayload(state.energy) : null,
    throttled: throttled?.heat ?? null,
    undervoltage: throttled?.undervoltage ?? null,
    fps: tenth(reading.fps),
    latency_ms: tenth(reading.latencyMs),
    age_ms: tenth(reading.ageMs),
    rss_mb: tenth(process.memoryUsage.rss() / 1e6),
    outbox: store.outbox.depth(),
    dropped: all.reduce((sum, { slot }) => sum + slot.stats().dropped, 0),
    dropped_messages: store.outbox.dropped(),
    broker: messaging.publisher.delivery(),
    failed: line.scheduler.stats().failed,
    database_failing: !database.writable,
    database_error: database.error,
    waiting_events: database.waiting,
    dropped_detections: database.dropped.detections,
    dropped_events: database.dropped.events,
    pictures: eventPictures.figures(),
    notify: notifications.reports(),
    second: secondPayload(sources.second.network?.report() ?? null),
    taught: taughtHealth(sources),
    uptime_s: Math.round((now - daemon.startedAt()) / 1000),
    cameras: Object.fromEntries(all.map((camera) => [camera.name, cameraHealth(camera, now)])),
  };
}

/** How looking for taught labels fares; `learning` and `failing` are their numbers of tasks. */
function taughtHealth({ taught, line }: Pick<HealthSources, 'taught' | 'line'>): object {
  const states = taught.tasks().map(({ task }) => taught.heads().stateOf(taskName(task))?.state);
  const { busyMs: _busyMs, ...counts } = line.taught.counts();
  return {
    labels: taught.labels().length,
    unusable: taught.unusable().length,
    learning: states.filter((state) => state === 'learning').length,
    failing: states.filter((state) => state === 'fails').length,
    error: taught.fault(),
    ...counts,
  };
}

/** How the second network fares; null: there is none. */
export function secondPayload(report: SecondReport | null): SecondPayload | null {
  if (report === null) return null;
  const { medianMs, ...rest } = report;
  return { ...rest, ms: tenth(medianMs) };
}

/** `delivered` by the source, of which `skipped` by the motion gate and `dropped` for newer ones. */
function cameraHealth(camera: Camera, now: number): object {
  const reading = camera.meter.read(now);
  const frames = camera.slot.stats();
  return {
    status: publicStatus(camera.status()),
    reason: camera.reason(),
    fps: tenth(reading.fps),
    age_ms: tenth(reading.ageMs),
    delivered: frames.delivered,
    skipped: frames.skipped,
    dropped: frames.dropped,
    notices: camera.notices.list().map(noticePayload),
  };
}
