import t from 'tap';
import { createResponsiveness } from '#mobilenetd/thermal/law/responsiveness.js';

const HALF_HOUR_S = 1800;

/** A load that changes every two minutes. */
function square(s: number, low = 0.2, high = 0.8): number {
  return s % 240 < 120 ? low : high;
}

/** Seconds until the sensor counts as none; null: it never did in two hours. */
function unresponsiveAfter(
  reading: (s: number) => number,
  load: (s: number) => number,
): number | null {
  const sensor = createResponsiveness();
  for (let s = 1; s <= 4 * HALF_HOUR_S; s += 1) {
    sensor.update(reading(s), load(s), 1);
    if (sensor.isUnresponsive) return s;
  }
  return null;
}

/** What a board with this gain reads, in steps. */
function board(gainC: number, stepC: number): (s: number) => number {
  let die = 0;
  return (s) => {
    die += (gainC * square(s) - die) / 30;
    return Math.round((40 + die) / stepC) * stepC;
  };
}

t.test('a constant answers to nothing: half an hour of changing load shows it', async (t) => {
  for (const constantC of [0, -5, 27.8, 45, 79]) {
    const after = unresponsiveAfter(() => constantC, square);
    t.ok(
      after !== null && after >= HALF_HOUR_S && after < HALF_HOUR_S + 300,
      `${constantC}: ${after}`,
    );
  }
});

t.test('so it is with a little noise, two levels, and the thermometer of the room', async (t) => {
  t.ok(
    unresponsiveAfter((s) => 27.8 + 0.1 * Math.sin(s * s), square),
    'noise',
  );
  t.ok(
    unresponsiveAfter((s) => 45 + (s % 7 < 3 ? 0 : 0.2), square),
    'two levels',
  );
  t.ok(
    unresponsiveAfter((s) => 21 + s / 3600, square),
    'the room warms by a degree an hour',
  );
});

t.test('a sensor that answers is one: coarse, cool, or of a big machine', async (t) => {
  for (const [gainC, stepC] of [
    [25, 0.5],
    [10, 0.5],
    [8, 1],
    [60, 0.001],
  ] as const) {
    t.equal(unresponsiveAfter(board(gainC, stepC), square), null, `${gainC} °C in ${stepC}`);
  }
});

t.test('nothing is said while the load does not change', async (t) => {
  t.equal(
    unresponsiveAfter(
      () => 45,
      () => 0.1,
    ),
    null,
    'next to nothing',
  );
  // The start itself is a change of the load: hold it back until the window is past it.
  t.equal(
    unresponsiveAfter(
      () => 45,
      (s) => Math.min(0.6, s / 20_000),
    ),
    null,
    'creeps',
  );
});

t.test('it is believed again when it moves, and each time must move further', async (t) => {
  const sensor = createResponsiveness();
  let s = 0;
  const run = (readingC: number, seconds: number) => {
    for (const end = s + seconds; s < end; s += 1) sensor.update(readingC, square(s), 1);
    return sensor.isUnresponsive;
  };
  t.ok(run(45, 2400));
  t.ok(run(45.5, 60), 'half a degree is nothing');
  t.notOk(run(47, 60));
  t.ok(run(47, 2400), 'another constant');
  t.ok(run(48.5, 60), 'a degree and a half are not enough any more');
  t.notOk(run(52, 60));
});

t.test('missing readings say nothing', async (t) => {
  const sensor = createResponsiveness();
  for (let s = 0; s < 4000; s += 1) sensor.update(s % 2 ? null : Number.NaN, square(s), 1);
  t.notOk(sensor.isUnresponsive);
});

t.test('a reading that has stood still for nearly half an hour is suspect', async (t) => {
  const sensor = createResponsiveness();
  for (let s = 0; s < 1400; s += 1) sensor.update(45, 0.1, 1);
  t.notOk(sensor.isSuspect);
  for (let s = 0; s < 200; s += 1) sensor.update(45, 0.1, 1);
  t.ok(sensor.isSuspect);
  sensor.update(45.5, 0.1, 1);
  t.notOk(sensor.isSuspect);
});

t.test(
  'a board that is warm of what ran before the start is no proof against its sensor',
  async (t) => {
    const board = (s: number) => 60 + 0.1 * Math.round(8 * (1 - Math.exp(-s / 900)));
    t.equal(
      unresponsiveAfter(board, () => 0.7),
      null,
      'the load goes on as it did before',
    );
  },
);
