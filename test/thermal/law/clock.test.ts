import t from 'tap';
import { createClockWatch } from '#mobilenetd/thermal/law/clock.js';

/** What is told of so many seconds; the last answer. */
function seconds(
  watch: ReturnType<typeof createClockWatch>,
  clock: number | null,
  cpuUtil: number | null,
  { isCool = false, forS = 10 } = {},
): boolean {
  let slowed = false;
  for (let s = 0; s < forS; s += 1) slowed = watch.update({ clock, cpuUtil, isCool }, 1);
  return slowed;
}

t.test('a busy CPU that is slower than ever on a cool board', (t) => {
  const watch = createClockWatch();
  seconds(watch, 1, 0.8, { isCool: true, forS: 60 });
  t.notOk(seconds(watch, 1, 0.8), 'full');
  t.notOk(seconds(watch, 0.8, 0.8, { forS: 2 }), 'for a moment');
  t.ok(seconds(watch, 0.8, 0.8));
  t.notOk(seconds(watch, 1, 0.8), 'back');
  t.end();
});

t.test('a clock that follows the load is not slowed by heat', (t) => {
  const watch = createClockWatch();
  seconds(watch, 1, 0.9, { isCool: true, forS: 60 });
  seconds(watch, 0.6, 0.5, { isCool: true, forS: 60 });
  t.notOk(seconds(watch, 0.3, 0.1), 'idle');
  t.notOk(seconds(watch, 0.6, 0.5), 'as it was under that load');
  t.notOk(seconds(watch, 0.7, 0.9), 'more than under less load');
  t.ok(seconds(watch, 0.5, 0.9), 'less than under less load');
  t.end();
});

t.test('nothing is known without having been learnt, or told', (t) => {
  const watch = createClockWatch();
  t.notOk(seconds(watch, 0.5, 0.8), 'never seen');
  seconds(watch, 1, 0.9, { isCool: true, forS: 60 });
  t.notOk(seconds(watch, 0.5, 0.6), 'never seen under so little load');
  t.notOk(seconds(watch, null, 0.9));
  t.notOk(seconds(watch, 0.5, null));
  t.end();
});

t.test('full clock is learnt on a hot board, too: nothing slows it', (t) => {
  const watch = createClockWatch();
  seconds(watch, 1, 0.7, { forS: 60 });
  t.ok(seconds(watch, 0.8, 0.7));
  t.end();
});
