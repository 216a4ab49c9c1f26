import t from 'tap';
import { fetchPatiently } from '#mobilenetd/daemon/fetch-patiently.js';
import { recordingClock } from '../fake-clock.js';

/** Fails so often, then is there. */
function failing(times: number): () => Promise<string> {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) throw new Error(`failure ${left}`);
    return 'there';
  };
}

t.test('it is tried again after 5 s, and at last every five minutes', async (t) => {
  const waits: number[] = [];
  const told: (readonly [unknown, number])[] = [];
  const found = await fetchPatiently(failing(12), {
    signal: undefined,
    mayPass: () => true,
    onTrouble: (error, waitMs) => void told.push([error, waitMs]),
    clock: recordingClock(waits),
  });
  t.equal(found, 'there');
  t.equal(told.length, 12);
  t.match(told[0]?.[0], { message: 'failure 11' });
  t.same(
    told.map(([, waitMs]) => waitMs),
    waits,
  );
  t.ok(waits.every((wait) => wait <= 300_000) && (waits[0] ?? 0) <= 5000, waits.join());
  t.ok((waits.at(-1) ?? 0) > 100_000);
});

t.test('what no further try can mend ends it, and so does an abort', async (t) => {
  const told: unknown[] = [];
  const stopping = new AbortController();
  const patience = {
    signal: stopping.signal,
    mayPass: (error: unknown) => !String(error).includes('failure 1'),
    onTrouble: (error: unknown) => void told.push(error),
    clock: recordingClock(),
  };
  await t.rejects(fetchPatiently(failing(4), patience), { message: 'failure 1' });
  t.equal(told.length, 2);
  stopping.abort(new Error('enough'));
  await t.rejects(fetchPatiently(failing(0), patience), { message: 'enough' });
});
