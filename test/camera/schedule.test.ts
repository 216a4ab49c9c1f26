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
