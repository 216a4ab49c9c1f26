import t from 'tap';
import { createPacer } from '#mobilenetd/camera/pacer.js';
import { sleep, systemClock } from '#mobilenetd/time.js';
import { createFakeClock } from '../fake-clock.js';

const never = new AbortController().signal;

t.test('a pacer keeps the rate and makes up for nothing', async (t) => {
  const clock = createFakeClock();
  let rate = 10;
  const pacer = createPacer(clock, () => rate);
  const times: number[] = [];
  const run = async () => {
    for (let frame = 0; frame < 8; frame += 1) {
      await pacer.next(never);
      times.push(clock.now());
      // One frame takes long: the next comes at once, the ones after it at the rate again.
      if (frame === 2) await sleep(clock, 350, never);
      if (frame === 5) rate = 2;
    }
  };
  const done = run();
  await clock.advance(5000);
  await done;
  t.same(times, [0, 100, 200, 550, 650, 750, 1250, 1750]);
});

t.test('sleep ends with the abort and leaves no timer', async (t) => {
  const clock = createFakeClock();
  const ending = new AbortController();
  const slept = sleep(clock, 1e6, ending.signal);
  ending.abort();
  await slept;
  await sleep(clock, 1e6, ending.signal);
  t.equal(clock.pending(), 0);
});

t.test('the system clock runs timers unless they are cancelled', async (t) => {
  const before = systemClock.now();
  const cancel = systemClock.setTimer(() => t.fail('ran'), 0);
  cancel();
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 1));
  t.ok(systemClock.now() >= before);
});
