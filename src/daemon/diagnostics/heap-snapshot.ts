import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';
import { messageOf } from '../../errors.js';
import { systemClock } from '../../time.js';

export interface HeapSnapshotOptions {
  readonly stateDir: string;
  readonly enabled: boolean;
  readonly log: {
    info(message: string): void;
    warn(message: string): void;
  };
  readonly process?: Pick<NodeJS.Process, 'on' | 'off'>;
  readonly now?: () => number;
  /** Writes a snapshot to a file. */
  readonly write?: (file: string) => void;
}

/** A snapshot is about as large as the heap. */
const KEPT = 2;
const SUFFIX = '.heapsnapshot';

/**
 * Answers SIGUSR2, whose default action would end the daemon: with a heap snapshot in the state
 * folder where that is switched on, else with a line in the log. Returns how to stop that.
 */
export function answerHeapSignal(options: HeapSnapshotOptions): () => void {
  const source = options.process ?? process;
  const answer = () => {
    if (options.enabled) snapshot(options);
    else options.log.info('SIGUSR2: heap snapshots are off (diagnostics.heap_snapshots)');
  };
  source.on('SIGUSR2', answer);
  return () => void source.off('SIGUSR2', answer);
}

function snapshot({
  stateDir,
  log,
  now = systemClock.wall,
  write = writeHeapSnapshot,
}: HeapSnapshotOptions) {
  const time = new Date(now()).toISOString().replaceAll(':', '-');
  const file = join(stateDir, `${time}${SUFFIX}`);
  const umask = process.umask(0o077);
  try {
    write(file);
    // Whatever is in memory is in it.
    chmodSync(file, 0o600);
    const all = readdirSync(stateDir).filter((name) => name.endsWith(SUFFIX));
    for (const old of all.sort().slice(0, -KEPT)) rmSync(join(stateDir, old), { force: true });
    log.info(`heap snapshot: ${file}`);
  } catch (error) {
    log.warn(`no heap snapshot: ${messageOf(error)}`);
  } finally {
    process.umask(umask);
  }
}
