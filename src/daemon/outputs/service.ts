import type { Notifier } from '../../systemd/notify.js';
import { type Clock, every } from '../../time.js';
import type { Cameras } from '../cameras/cameras.js';
import type { Context } from '../context.js';
import type { Line } from '../line/line.js';
import type { StopOutput } from './output.js';
import { createProgressJudge, type Progress, type Verdict } from './progress.js';
import { statusLine } from './status-line.js';

type Using = Pick<
  Context,
  | 'clock'
  | 'service'
  | 'signals'
  | 'daemon'
  | 'log'
  | 'line'
  | 'cameras'
  | 'governor'
  | 'engine'
  | 'model'
>;

/** Stopping what ran and starting what is to run takes less, or it hangs. */
const CHANGE_LIMIT_MS = 120_000;
/** A first start may fetch and convert a model over a slow line. */
const START_LIMIT_MS = 1_800_000;
/** The unit counts as started after so long, whatever cameras do. */
const READY_AFTER_MS = 15_000;
const WORDS = {
  starting: 'starting',
  changing: 'changing the configuration',
  stopping: 'stopping',
} as const;
/** Of the reason why a camera delivers nothing. */
const MAX_REASON = 80;

/** Keeps the service manager informed; `context` is asked anew at every report. */
export function startService(context: Using): StopOutput {
  const { clock, service, signals, daemon, log } = context;
  if (service === null) return () => {};
  const { notifier, watchdogMs, readyWithoutFrame } = service;
  let judged: { readonly line: Line; readonly judge: (progress: Progress) => Verdict } | null =
    null;

  /** Whether frames make progress; while a start or a change is made, whether that does. */
  function verdict(): Verdict {
    const phase = daemon.phase();
    if (phase !== 'running') {
      const limit = phase === 'starting' ? START_LIMIT_MS : CHANGE_LIMIT_MS;
      const sound = clock.now() - daemon.phaseSince() < limit;
      return { sound, reason: WORDS[phase], awaitsFrames: true };
    }
    // Another line counts from zero.
    if (judged?.line !== context.line) {
      judged = { line: context.line, judge: createProgressJudge(() => clock.now()) };
    }
    return judged.judge(progressOf(context.line, context.cameras));
  }

  const status = () => {
    const phase = daemon.phase();
    return phase === 'running' ? statusOf(context) : (daemon.doing() ?? WORDS[phase]);
  };
  const reports = createServiceReports({
    clock,
    notifier,
    watchdogMs,
    judge: verdict,
    status,
    onVerdict: ({ sound, reason }) =>
      sound ? log.info('progress again') : log.error(`no progress: ${reason}`),
  });
  // Whoever waits for the unit is not kept waiting for a camera, or for a model that is fetched.
  const stops = [
    clock.setTimer(() => reports.sayReady(), READY_AFTER_MS),
    signals.on('running', () => {
      if (daemon.hasLabelled() || readyWithoutFrame) reports.sayReady();
      else void reports.report();
    }),
    signals.on('labelled', () => reports.sayReady()),
  ];
  return () => {
    for (const stop of stops) stop();
    reports.stop();
  };
}

function statusOf({ clock, line, cameras, governor, engine, model, daemon }: Using): string {
  const all = cameras.list();
  const { alpha, size } = engine.mix()?.high ?? model.variant;
  return statusLine({
    alpha,
    size,
    fps: line.meter.read(clock.now()).fps,
    temperature: governor.heat()?.tempC ?? null,
    labels: all.flatMap(({ presence }) => presence.present().map(({ label }) => label)),
    away: all.flatMap((camera) => {
      if (!camera.enabled()) return [`${camera.name} disabled`];
      if (camera.status() === 'online') return [];
      // Before anything has been labelled it is worth a sentence why.
      const reason = daemon.hasLabelled() ? null : camera.reason();
      const why = reason === null ? '' : `: ${reason.slice(0, MAX_REASON)}`;
      return [`${camera.name} ${camera.status()}${why}`];
    }),
  });
}

function progressOf({ scheduler }: Line, cameras: Cameras): Progress {
  const { labelled, failed, refused, lookingMs } = scheduler.stats();
  return {
    labelled,
    failed: failed - refused,
    lookingMs,
    cameras: cameras.list().map((camera) => ({
      name: camera.name,
      status: camera.status(),
      enabled: camera.enabled(),
      delivered: camera.slot.stats().delivered,
      stallMs: camera.stallTimeout === null ? null : camera.stallTimeout * 1000,
    })),
  };
}

export interface ServiceReportsOptions {
  readonly clock: Clock;
  readonly notifier: Notifier;
  /** Milliseconds between signs of life that the service manager wants; null: it does not watch. */
  readonly watchdogMs: number | null;
  /** Judges the daemon as it is now. */
  readonly judge: () => Verdict;
  readonly status: () => string;
  /** The daemon is, or is no longer, sound. */
  readonly onVerdict: (verdict: Verdict) => void;
}

/** What the service manager hears of a running daemon. */
export interface ServiceReports {
  /** The start has finished: a frame has been labelled, or nobody waits for one. */
  sayReady(): void;
  /** Whether the service manager knows it as started. */
  ready(): boolean;
  /** Judges and reports now; also done by itself every ten seconds or oftener. */
  report(): Promise<void>;
  stop(): void;
}

const REPORT_MS = 10_000;
/** A start is extended by so many reports, so that one that is late does no harm. */
const EXTENSION = 3;

/**
 * Tells the service manager how the daemon fares. The watchdog is fed only while the verdict is
 * sound; until READY the same verdict extends the start instead, so that a start never fails the unit
 * for being slow, and one that hangs does.
 */
export function createServiceReports(options: ServiceReportsOptions): ServiceReports {
  const { notifier } = options;
  const intervalMs = Math.min(REPORT_MS, (options.watchdogMs ?? Number.POSITIVE_INFINITY) / 3);
  let wanted = false;
  let ready = false;
  let lastReported = '';
  let sound = true;
  let last: Promise<void> = Promise.resolve();

  async function sendReport(): Promise<void> {
    const verdict = options.judge();
    if (verdict.sound !== sound) options.onVerdict(verdict);
    sound = verdict.sound;
    // Nobody is meant to deliver a frame now, perhaps for hours: there is nothing to wait for.
    if (verdict.sound && !verdict.awaitsFrames) wanted = true;
    if (wanted && !ready) ready = await notifier.ready();
    const text = verdict.sound ? options.status() : `stuck: ${verdict.reason}`;
    const feed = verdict.sound && (!ready || options.watchdogMs !== null);
    if (text === lastReported && !feed) return;
    const sign = ready ? { alive: true } : { extendS: (EXTENSION * intervalMs) / 1000 };
    if (await notifier.report({ status: text, ...(feed && sign) })) lastReported = text;
  }

  /** One after the other, so that READY is said once. */
  function report(): Promise<void> {
    last = last.then(sendReport);
    return last;
  }

  const stop = every(options.clock, intervalMs, () => void report());
  return {
    sayReady() {
      if (wanted) return;
      wanted = true;
      void report();
    },
    ready: () => ready,
    report,
    stop,
  };
}
