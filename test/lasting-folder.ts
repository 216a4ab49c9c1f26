import type { Test } from 'tap';

type Content = Parameters<Test['testdir']>[0];

/**
 * A folder of this test that stays until its teardowns have run, for what writes there until it is stopped.
 *
 * Tap ends a test in the order in which its ends were asked for. So `testdir` alone, when it comes first, takes
 * the folder away below a daemon that still runs: the removal may fail, and then nothing stops the daemon.
 */
export function lastingFolder(test: Test, content?: Content): string {
  test.teardown(() => undefined);
  return test.testdir(content);
}
