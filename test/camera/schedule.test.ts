import t from 'tap';
import { createSchedule } from '#mobilenetd/camera/schedule.js';

/** 2026-11-23 is a Monday. */
const at = (text: string): number => Date.parse(`${text}Z`);

t.test('spans within a day, by weekday', (t) => {
  const office = createSchedule(['mon-fri 08:00-18:00', 'SAT 10:30-12:00'], 'UTC');
  for (const [time, open] of [
    ['2026-11-23T07:59:59', false],
    ['2026-11-23T08:00:00', true],
    ['2026-11-27T17:59:59', true],
    ['2026-11-27T18:00:00', false],
    ['2026-11-28T09:00:00', false],
    ['2026-11-28T11:00:00', true],
    ['2026-11-29T11:00:00', false],
  ] as const) {
    t.equal(office.isOpen(at(time)), open, time);
  }
  t.equal(office.text, 'mon-fri 08:00-18:00; SAT 10:30-12:00');
  t.end();
});

t.test('a span over midnight belongs to the day it begins on', (t) => {
  const night = createSchedule(['fri,sat 22:00-06:00'], 'UTC');
  for (const [time, open] of [
    ['2026-11-27T03:00:00', false],
    ['2026-11-27T22:00:00', true],
    ['2026-11-28T05:59:00', true],
    ['2026-11-28T06:00:00', false],
    ['2026-11-29T05:00:00', true],
    ['2026-11-29T23:00:00', false],
  ] as const) {
    t.equal(night.isOpen(at(time)), open, time);
  }
  t.end();
});

t.test('midnight, whole days and weeks that wrap', (t) => {
  const evening = createSchedule(['sun-mon 20:00-24:00'], 'UTC');
  t.ok(evening.isOpen(at('2026-11-29T23:59:00')));
  t.ok(evening.isOpen(at('2026-11-30T20:00:00')));
  t.notOk(evening.isOpen(at('2026-12-01T20:00:00')));
  t.notOk(evening.isOpen(at('2026-12-01T00:00:00')));
  const always = createSchedule(['00:00-24:00'], 'UTC');
  const wednesday = createSchedule(['wed 00:00-00:00'], 'UTC');
  for (let hour = 0; hour < 24; hour += 1) {
    const time = at('2026-11-25T00:00:00') + hour * 3_600_000;
    t.ok(always.isOpen(time));
    t.ok(wednesday.isOpen(time));
  }
  t.notOk(wednesday.isOpen(at('2026-11-26T00:00:00')));
  t.end();
});

t.test('the clock is that of the zone, summer time and all', (t) => {
  const berlin = createSchedule(['08:00-09:00'], 'Europe/Berlin');
  t.ok(berlin.isOpen(at('2026-01-15T07:30:00')), 'UTC+1 in winter');
  t.notOk(berlin.isOpen(at('2026-01-15T06:30:00')));
  t.ok(berlin.isOpen(at('2026-07-15T06:30:00')), 'UTC+2 in summer');
  const tokyo = createSchedule(['mon 00:00-06:00'], 'Asia/Tokyo');
  t.ok(tokyo.isOpen(at('2026-11-22T16:00:00')), 'already Monday there');
  t.end();
});

t.test('what is no span is refused', (t) => {
  for (const span of ['8:00-18:00', '08:00', 'mon', 'foo 08:00-09:00', 'mon-tue-wed 08:00-09:00']) {
    t.throws(() => createSchedule([span], null), { code: 'MND_CONFIG_INVALID' }, span);
  }
  for (const span of ['24:00-25:00', '08:60-09:00', 'mon, 08:00-09:00', '24:00-06:00']) {
    t.throws(() => createSchedule([span], null), { code: 'MND_CONFIG_INVALID' }, span);
  }
  t.end();
});

const BERLIN = [52.52, 13.4] as const;
const instant = (text: string): number => Date.parse(text);

t.test('the sun of the place, its summer time, and offsets', (t) => {
  const night = createSchedule(['sunset-00:30 - sunrise'], 'Europe/Berlin', BERLIN);
  // Sunset on 21 June 2026 at 21:33, sunrise on the 22nd at 04:43; on 21 December 15:54 and 08:16.
  for (const [time, open] of [
    ['2026-06-21T20:50:00+02:00', false],
    ['2026-06-21T21:10:00+02:00', true],
    ['2026-06-22T04:35:00+02:00', true],
    ['2026-06-22T04:55:00+02:00', false],
    ['2026-12-21T15:15:00+01:00', false],
    ['2026-12-21T15:35:00+01:00', true],
    ['2026-12-22T08:05:00+01:00', true],
    ['2026-12-22T08:30:00+01:00', false],
  ] as const) {
    t.equal(night.isOpen(instant(time)), open, time);
  }
  const morning = createSchedule(['mon sunrise+01:00-12:00'], 'Europe/Berlin', BERLIN);
  t.equal(morning.isOpen(instant('2026-06-22T05:30:00+02:00')), false);
  t.equal(morning.isOpen(instant('2026-06-22T06:00:00+02:00')), true);
  t.equal(morning.isOpen(instant('2026-06-23T06:00:00+02:00')), false, 'Tuesday');
  t.end();
});

t.test('other places: the south, the far east, and where the sun does not set or rise', (t) => {
  const day = (zone: string, place: readonly [number, number]) =>
    createSchedule(['sunrise - sunset'], zone, place);
  const sydney = day('Australia/Sydney', [-33.87, 151.21]);
  t.equal(sydney.isOpen(instant('2026-12-21T05:30:00+11:00')), false);
  t.equal(sydney.isOpen(instant('2026-12-21T06:00:00+11:00')), true);
  t.equal(sydney.isOpen(instant('2026-12-21T20:30:00+11:00')), false);
  const tromso = day('Europe/Oslo', [69.65, 18.96]);
  const dark = createSchedule(['sunset-sunrise'], 'Europe/Oslo', [69.65, 18.96]);
  for (const hour of ['00', '06', '12', '18', '23']) {
    t.equal(tromso.isOpen(instant(`2026-06-21T${hour}:30:00+02:00`)), true, `polar day, ${hour}`);
    t.equal(dark.isOpen(instant(`2026-06-21T${hour}:30:00+02:00`)), false, `polar day, ${hour}`);
    t.equal(
      tromso.isOpen(instant(`2026-12-21T${hour}:30:00+01:00`)),
      false,
      `polar night, ${hour}`,
    );
    t.equal(dark.isOpen(instant(`2026-12-21T${hour}:30:00+01:00`)), true, `polar night, ${hour}`);
  }
  t.end();
});

t.test('spans of the sun that are none, and one without a place', (t) => {
  for (const text of [
    'sunset',
    'sunrise-',
    'sunset+0030-sunrise',
    'dusk-dawn',
    'sunset--01:00',
    'mon sunset',
  ]) {
    t.throws(() => createSchedule([text], null, BERLIN), { code: 'MND_CONFIG_INVALID' }, text);
  }
  t.throws(() => createSchedule(['sunset-sunrise'], null), { message: /location/ });
  for (const text of [
    'sunset-sunrise',
    'SUNSET - SUNRISE',
    'sat,sun sunrise-01:00-sunset+02:30',
    'sunset-06:00',
  ]) {
    t.doesNotThrow(() => createSchedule([text], null, BERLIN), text);
  }
  t.end();
});

t.test('offsets from the sun lead past midnight, and before it', (t) => {
  const late = createSchedule(['fri sunset - sunset+03:00'], 'Europe/Berlin', BERLIN);
  // Sunset on Friday, 19 June 2026 at 21:33.
  for (const [time, open] of [
    ['2026-06-19T21:20:00+02:00', false],
    ['2026-06-19T23:59:00+02:00', true],
    ['2026-06-20T00:20:00+02:00', true],
    ['2026-06-20T00:40:00+02:00', false],
    ['2026-06-20T22:00:00+02:00', false],
  ] as const) {
    t.equal(late.isOpen(instant(time)), open, time);
  }
  const deep = createSchedule(['sunset+04:00 - sunrise-00:30'], 'Europe/Berlin', BERLIN);
  t.equal(deep.isOpen(instant('2026-06-20T01:00:00+02:00')), false, 'not yet');
  t.equal(deep.isOpen(instant('2026-06-20T02:00:00+02:00')), true);
  t.equal(deep.isOpen(instant('2026-06-20T04:30:00+02:00')), false);
  const none = createSchedule(['sunset+08:00 - sunrise'], 'Europe/Berlin', BERLIN);
  for (let hour = 0; hour < 24; hour += 1) {
    const at = instant('2026-06-20T00:10:00+02:00') + hour * 3_600_000;
    t.equal(none.isOpen(at), false, `after it has risen, ${hour}`);
  }
  t.end();
});

t.test('what the sun has passed on that day is nothing, and not the rest of the clock', (t) => {
  const open = (span: string, day: string, place = BERLIN as readonly [number, number]) => {
    const schedule = createSchedule([span], 'Europe/Berlin', place);
    const hours: number[] = [];
    for (let hour = 0; hour < 24; hour += 1) {
      const offset = day.slice(5, 7) === '12' ? '+01:00' : '+02:00';
      const time = `${day}T${String(hour).padStart(2, '0')}:30:00${offset}`;
      if (schedule.isOpen(instant(time))) hours.push(hour);
    }
    return hours;
  };
  const range = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, each) => from + each);
  t.same(open('16:00 - sunset', '2026-06-21'), range(16, 22), 'until 21:33');
  t.same(open('16:00 - sunset', '2026-12-21'), [], 'it has set at 15:54');
  t.same(open('19:00 - sunset', '2026-12-21'), []);
  t.same(open('sunset - 21:00', '2026-06-21'), [], 'it sets at 21:33');
  t.same(open('sunset - 21:00', '2026-12-21'), range(16, 21));
  t.same(open('sunset - 02:00', '2026-12-21'), [0, 1, ...range(16, 24)]);
  t.same(open('05:00 - sunrise', '2026-06-21'), [], 'it has risen at 04:43');
  t.same(open('05:00 - sunrise', '2026-12-21'), range(5, 8));
  t.same(open('22:00 - sunrise', '2026-06-21'), [...range(0, 5), 22, 23]);
  t.same(open('sunrise - 07:00', '2026-12-21'), [], 'it rises at 08:16');
  t.same(open('sunrise - 01:00', '2026-06-21'), [0, ...range(5, 24)]);
  const [north, fairbanks] = [[69.65, 18.96] as const, [66.2, 18.96] as const];
  for (const span of [
    'sunset - 23:00',
    'sunset - 02:00',
    'sunset-00:30 - sunrise',
    'sunset-01:00 - sunset+01:00',
  ]) {
    t.same(open(span, '2026-06-21', north), [], `${span}, where it does not set`);
  }
  for (const span of [
    'sunrise - 10:00',
    'sunrise - 18:00',
    'sunrise+01:00 - sunset',
    'sunrise - sunrise+02:00',
  ]) {
    t.same(open(span, '2026-12-21', north), [], `${span}, where it does not rise`);
  }
  t.same(open('sunset - 23:00', '2026-12-21', north), range(12, 23));
  t.same(open('22:00 - sunrise', '2026-12-21', north), [...range(0, 12), 22, 23]);
  t.same(open('sunrise - 10:00', '2026-06-21', north), range(0, 10));
  // It sets after midnight, an hour or so before it rises.
  const light = open('sunrise - sunset', '2026-06-12', fairbanks);
  const dark = open('sunset - sunrise', '2026-06-12', fairbanks);
  t.equal(light.length + dark.length, 24, 'each hour is one or the other');
  t.ok(dark.length <= 3 && dark.every((hour) => hour <= 2), `${dark}`);
  t.end();
});
