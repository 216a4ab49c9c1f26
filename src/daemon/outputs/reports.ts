import type { Notifier } from '../../systemd/notify.js';
import type { Verdict } from './progress.js';

export interface ReportsOptions {
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
export interface Reports {
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
 * sound; before the first labelled frame the same verdict extends the start instead, so that a
 * camera that is away delays READY but never fails the unit, and a daemon that hangs does.
 */
export function startReports(options: ReportsOptions): Reports {
  const { notifier } = options;
  const intervalMs = Math.min(REPORT_MS, (options.watchdogMs ?? Number.POSITIVE_INFINITY) / 3);
  let wanted = false;
  let ready = false;
  let shown = '';
  let sound = true;
  let last: Promise<void> = Promise.resolve();

  async function tell(): Promise<void> {
    const verdict = options.judge();
    if (verdict.sound !== sound) options.onVerdict(verdict);
    sound = verdict.sound;
    // Nobody is meant to deliver a frame now, perhaps for hours: there is nothing to wait for.
    if (verdict.sound && !verdict.awaitsFrames) wanted = true;
    if (wanted && !ready) ready = await notifier.ready();
    const text = verdict.sound ? options.status() : `stuck: ${verdict.reason}`;
    const feed = verdict.sound && (!ready || options.watchdogMs !== null);
    if (text === shown && !feed) return;
    const sign = ready ? { alive: true } : { extendS: (EXTENSION * intervalMs) / 1000 };
    if (await notifier.report({ status: text, ...(feed && sign) })) shown = text;
  }

  /** One after the other, so that READY is said once. */
  function report(): Promise<void> {
    last = last.then(tell);
    return last;
  }

  const timer = setInterval(() => void report(), intervalMs);
  timer.unref();
  return {
    sayReady() {
      if (wanted) return;
      wanted = true;
      void report();
    },
    ready: () => ready,
    report,
    stop: () => clearInterval(timer),
  };
}
