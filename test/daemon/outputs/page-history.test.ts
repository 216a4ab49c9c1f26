import t from 'tap';
import { type HistoryPoint, thinned } from '#mobilenetd/daemon/outputs/page-history.js';

function pointAt(time: number, temperature: number | null): HistoryPoint {
  return {
    ...{ time, temperature, limit: 80, target: 78, budget: 0.5, fps: 5 },
    ...{ low: 'a', high: 'b', fraction: 0.5 },
  };
}

t.test('a week is thinned to 400 points, in order, and no peak is lost', (t) => {
  for (const count of [0, 1, 400, 401, 799, 800, 10_000, 11_720]) {
    const points = Array.from({ length: count }, (_each, index) => pointAt(index, 60));
    for (const peak of [0, Math.floor(count / 3), count - 2].filter(
      (at) => at >= 0 && at < count,
    )) {
      const shown = thinned(points.with(peak, pointAt(peak, 90)));
      t.ok(
        shown.length <= 400 && shown.length >= Math.min(count, 200),
        `${shown.length} of ${count}`,
      );
      t.ok(
        shown.some(({ temperature }) => temperature === 90),
        `the peak at ${peak} of ${count}`,
      );
      t.equal(shown.at(-1)?.time, count - 1, 'up to now');
      const times = shown.map(({ time }) => time);
      t.same(
        times,
        times.toSorted((a, b) => a - b),
      );
    }
  }
  const unknown = Array.from({ length: 900 }, (_each, index) => pointAt(index, null));
  t.equal(thinned(unknown).length, 301, 'no temperature is known: still thinned');
  t.end();
});
