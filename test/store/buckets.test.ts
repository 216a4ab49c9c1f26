// A process of its own: it sets the time zone.
import t from 'tap';
import { type BucketUnit, countBuckets } from '#mobilenetd/store/buckets.js';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);

/** Sums of stays of one label, as `time: events, seconds`. */
function sums(unit: BucketUnit, ...stays: (readonly [start: string, end: string])[]) {
  const events = stays.map(([start, end]) => ({
    label: 'cat',
    score: 0.5,
    start: at(start),
    end: at(end),
  }));
  const found = countBuckets(events, {
    unit,
    since: null,
    until: at('2027-01-01'),
    now: at('2027-01-01'),
  });
  return found.map(({ time, events, presentMs }) => [
    new Date(time).toISOString(),
    events,
    presentMs / 1000,
  ]);
}

t.test('the hour that the clock shows twice is two, and none is empty', (t) => {
  process.env.TZ = 'Europe/Berlin';
  // 25 October 2026: 03:00 summer time (01:00 UTC) is 02:00 again.
  t.same(sums('hour', ['2026-10-25T00:30:00Z', '2026-10-25T00:40:00Z']), [
    ['2026-10-25T00:00:00.000Z', 1, 600],
  ]);
  t.same(sums('hour', ['2026-10-25T01:30:00Z', '2026-10-25T01:40:00Z']), [
    ['2026-10-25T01:00:00.000Z', 1, 600],
  ]);
  t.same(sums('hour', ['2026-10-25T00:30:00Z', '2026-10-25T02:30:00Z']), [
    ['2026-10-25T00:00:00.000Z', 1, 1800],
    ['2026-10-25T01:00:00.000Z', 0, 3600],
    ['2026-10-25T02:00:00.000Z', 0, 1800],
  ]);
  // 29 March: 02:00 is 03:00.
  t.same(sums('hour', ['2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z']), [
    ['2026-03-29T00:00:00.000Z', 1, 1800],
    ['2026-03-29T01:00:00.000Z', 0, 1800],
  ]);
  t.end();
});

t.test('zones that are off by parts of an hour, or move by half of one', (t) => {
  process.env.TZ = 'Asia/Kathmandu';
  t.same(sums('hour', ['2026-05-01T00:10:00Z', '2026-05-01T00:20:00Z']), [
    ['2026-04-30T23:15:00.000Z', 1, 300],
    ['2026-05-01T00:15:00.000Z', 0, 300],
  ]);
  process.env.TZ = 'Australia/Lord_Howe';
  // 5 April 2026: 02:00 (+11) is 01:30 (+10:30), at 15:00 UTC of the 4th.
  const moved = sums('hour', ['2026-04-04T13:30:00Z', '2026-04-04T17:00:00Z']);
  t.equal(
    moved.reduce((sum, [, , seconds]) => sum + Number(seconds), 0),
    3.5 * 3600,
    'nothing twice',
  );
  t.equal(
    moved.reduce((sum, [, events]) => sum + Number(events), 0),
    1,
  );
  t.same(moved.at(-1), ['2026-04-04T16:30:00.000Z', 0, 1800], 'hours of the new offset');
  t.end();
});

t.test('days of 23 and 25 hours, and one that begins at one', (t) => {
  process.env.TZ = 'Europe/Berlin';
  t.same(sums('day', ['2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z']), [
    ['2026-03-27T23:00:00.000Z', 1, 11 * 3600],
    ['2026-03-28T23:00:00.000Z', 0, 23 * 3600],
    ['2026-03-29T22:00:00.000Z', 0, 14 * 3600],
  ]);
  t.same(sums('day', ['2026-10-25T12:00:00Z', '2026-10-25T22:30:00Z']), [
    ['2026-10-24T22:00:00.000Z', 1, 10.5 * 3600],
  ]);
  process.env.TZ = 'Africa/Cairo';
  // 24 April 2026 begins at 01:00; the next day at midnight.
  t.same(sums('day', ['2026-04-23T12:00:00Z', '2026-04-25T12:00:00Z']), [
    ['2026-04-22T22:00:00.000Z', 1, 10 * 3600],
    ['2026-04-23T22:00:00.000Z', 0, 23 * 3600],
    ['2026-04-24T21:00:00.000Z', 0, 15 * 3600],
  ]);
  t.end();
});

t.test('an open stay lasts until now, one of no time counts, and a span cuts', (t) => {
  process.env.TZ = 'UTC';
  const open = { label: 'cat', score: 0.5, start: at('2026-05-01T10:30:00Z'), end: null };
  const now = open.start + 2 * HOUR;
  const cut = { unit: 'hour', since: open.start + HOUR, until: now - HOUR / 4, now } as const;
  t.same(
    countBuckets([open], cut).map(({ events, presentMs }) => [events, presentMs]),
    [
      [0, HOUR / 2],
      [0, HOUR / 4],
    ],
  );
  t.same(sums('hour', ['2026-05-01T10:00:00Z', '2026-05-01T10:00:00Z']), [
    ['2026-05-01T10:00:00.000Z', 1, 0],
  ]);
  t.end();
});
