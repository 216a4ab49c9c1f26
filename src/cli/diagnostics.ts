import { describeProblem } from '../config/check/problem.js';
import { secretsOf } from '../config/check/secrets.js';
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load.js';
import { keepCrashReports } from '../daemon/diagnostics/crash.js';
import { answerHeapSignal } from '../daemon/diagnostics/heap-snapshot.js';
import { goesToJournal } from '../daemon/diagnostics/journal.js';
import {
  createLevelSwitch,
  createLog,
  type LevelSwitch,
  type Log,
} from '../daemon/diagnostics/log.js';
import { LogTail } from '../daemon/diagnostics/log-tail.js';
import type { CommandContext } from './command.js';

const STDERR = 2;

/** What a daemon leaves for people to read. */
interface Diagnostics {
  readonly log: Log;
  readonly logLevel: LevelSwitch;
  /** The newest lines of the log. */
  readonly tail: LogTail;
  /** Keeps the secrets of another configuration out as well. */
  hide(config: Config): void;
  end(): void;
}

/** Begins the log, with what the configuration warns of, reports of crashes, and snapshots of the heap. */
export function openDiagnostics(
  { config, warnings }: LoadedConfig,
  { env, stderr }: CommandContext,
): Diagnostics {
  const secrets = new Set(secretsOf(config));
  const logLevel = createLevelSwitch(config.log.level);
  const tail = new LogTail();
  const log = createLog({
    ...config.log,
    tail,
    level: logLevel,
    destination: stderr,
    journal: goesToJournal(env, STDERR),
    env,
    secrets: () => [...secrets],
  });
  const { crash_reports: reports, heap_snapshots: snapshots } = config.diagnostics;
  const endReports = keepCrashReports({
    stateDir: config.state_dir,
    keep: reports,
    secrets: () => [...secrets],
  });
  for (const warning of warnings) log.warn(`configuration: ${describeProblem(warning)}`);
  const endSnapshots = answerHeapSignal({ stateDir: config.state_dir, enabled: snapshots, log });
  return {
    log,
    logLevel,
    tail,
    hide(next) {
      for (const secret of secretsOf(next)) secrets.add(secret);
    },
    end() {
      endSnapshots();
      endReports();
    },
  };
}
