import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { systemClock } from '../time.js';

/** A check that takes longer is given up, ms: a large file on a small board takes a few seconds. */
const LONGEST_MS = 20_000;
const MEMORY_MB = 128;

/**
 * Problems of a configuration that is pasted (see pasted.ts), found in a thread of its own, which ends when it
 * takes too long or too much memory: frames and signs of life do not wait for what somebody pastes.
 */
export function checkPasted(yaml: string, longestMs = LONGEST_MS): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./pasted-worker.js', import.meta.url), {
      workerData: yaml,
      env: {},
      // What was loaded into this process by its command line has no business there.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    const giveUp = (why: string) => {
      resolve([`this configuration was not checked to its end: ${why}`]);
      void worker.terminate();
    };
    const cancel = systemClock.setTimer(
      () => giveUp(`it takes more than ${longestMs / 1000} s`),
      longestMs,
    );
    worker.once('message', (problems: readonly string[]) => resolve(problems));
    worker.once('error', (error) => giveUp(messageOf(error)));
    worker.once('exit', () => {
      cancel();
      giveUp('it ended early');
    });
  });
}
