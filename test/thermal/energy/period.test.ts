import t from 'tap';
import { periodOf } from '#mobilenetd/thermal/energy/period.js';

const HOUR_MS = 3_600_000;

t.test('days follow the local clock, with 23, 24 and 25 hours', (t) => {
  const before = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  t.teardown(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
  const hours = (year: number, month: number, day: number) => {
    const { startMs, endMs } = periodOf(new Date(year, month, day, 13, 7).getTime(), 'day');
    t.equal(new Date(startMs).getHours(), 0);
    t.equal(new Date(endMs).getHours(), 0);
    return (endMs - startMs) / HOUR_MS;
  };
  t.same([hours(2026, 2, 29), hours(2026, 5, 1), hours(2026, 9, 25)], [23, 24, 25]);
  t.end();
});

t.test('an hour begins at its full hour and ends with it', (t) => {
  const now = new Date(2026, 5, 1, 13, 59, 59, 999).getTime();
  const { startMs, endMs } = periodOf(now, 'hour');
  t.same([now - startMs, endMs - now], [HOUR_MS - 1, 1]);
  t.equal(periodOf(endMs, 'hour').startMs, endMs);
  t.end();
});
