import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCodedError } from '../../errors.js';
import { makeFolder } from '../../make-folder.js';
import { createMasker } from '../../mask.js';
import { PACKAGE_ROOT, VERSION } from '../../package-root.js';
import { systemClock } from '../../time.js';

export interface CrashOptions {
  readonly stateDir: string;
  /** Reports that are kept, the newest; 0 writes none. */
  readonly keep: number;
  readonly secrets: () => readonly string[];
  readonly process?: Pick<NodeJS.Process, 'on' | 'off'>;
  readonly now?: () => number;
}

/** What is kept of a crash. Everything in it is masked; it never leaves the board by itself. */
export interface CrashReport {
  readonly time: string;
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly origin: string;
  readonly code: string | null;
  readonly error: string;
  /** Of causes too, outermost first; the program's folder is left out. */
  readonly stacks: readonly string[];
  readonly uptime_s: number;
  readonly rss_mb: number;
}

const FOLDER = 'crashes';
const MAX_CAUSES = 5;
const MAX_TEXT = 8192;

/** Folder of a state folder's crash reports. */
export function crashFolder(stateDir: string): string {
  return join(stateDir, FOLDER);
}

/**
 * Writes a report of every uncaught exception and unhandled rejection before the process ends of it;
 * returns how to stop that. Only watches: what ends the process still does.
 */
export function keepCrashReports(options: CrashOptions): () => void {
  const source = options.process ?? process;
  const watch = (error: unknown, origin: string) => {
    if (options.keep > 0) writeReport(error, origin, options);
  };
  source.on('uncaughtExceptionMonitor', watch);
  return () => void source.off('uncaughtExceptionMonitor', watch);
}

function writeReport(error: unknown, origin: string, options: CrashOptions): void {
  const folder = crashFolder(options.stateDir);
  const time = new Date((options.now ?? systemClock.wall)()).toISOString();
  try {
    makeFolder(folder, 0o700);
    const mask = createMasker(options.secrets());
    const text = JSON.stringify(reportOf(error, origin, time, mask), null, 2);
    writeFileSync(join(folder, `${time.replaceAll(':', '-')}.json`), `${text}\n`, { mode: 0o600 });
    for (const old of crashReports(options.stateDir).slice(options.keep)) {
      rmSync(join(folder, old), { force: true });
    }
  } catch {
    // A full disk must not hide the crash itself, which is told on stderr.
  }
}

/** Names of the reports of a state folder, the newest first. */
export function crashReports(stateDir: string): readonly string[] {
  try {
    const names = readdirSync(crashFolder(stateDir));
    return names
      .filter((name) => name.endsWith('.json'))
      .sort()
      .reverse();
  } catch {
    return [];
  }
}

function reportOf(
  error: unknown,
  origin: string,
  time: string,
  mask: (text: string) => string,
): CrashReport {
  const redacted = (text: string) => mask(text).replaceAll(PACKAGE_ROOT, '').slice(0, MAX_TEXT);
  const stacks: string[] = [];
  for (
    let cause: unknown = error;
    cause instanceof Error && stacks.length < MAX_CAUSES;
    cause = cause.cause
  ) {
    stacks.push(redacted(cause.stack ?? cause.message));
  }
  return {
    time,
    version: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    origin,
    code: isCodedError(error) ? error.code : null,
    error: redacted(error instanceof Error ? error.message : String(error)),
    stacks,
    uptime_s: Math.round(process.uptime()),
    rss_mb: Math.round(process.memoryUsage.rss() / 1e6),
  };
}
