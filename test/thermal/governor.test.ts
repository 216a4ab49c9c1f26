import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { createGovernor, type Sample } from '#mobilenetd/thermal/governor.js';
import { createDriver, driverOf, FPS, LADDER, sampleOf } from './plant-driver.js';

t.setTimeout(500_000);

/** CPU use of a board on which nothing else runs. */
function usedBy(s: Sample): number {
  return Math.min(1, (s.deliveredFps * (LADDER[s.rung]?.costMs ?? 0)) / 1000);
}

t.test('settles just below the limit, without ever reaching it', async (t) => {
  const driver = createDriver();
  let peak = 0;
  for (let i = 0; i < 1800; i += 1) {
    driver.step();
    peak = Math.max(peak, driver.tempC());
  }
  t.ok(peak < 79.5, `peak ${peak.toFixed(1)}`);
  t.ok(driver.tempC() > 76, `settled at ${driver.tempC().toFixed(1)}`);
  t.equal(driver.last.mode, 'limited');
  t.match(driver.last.reason, /^7\d\.\d °C and \w+: .* % of frames, .* %; sustainable/);
});

t.test('a second network has its part of the budget, and the ladder the rest', async (t) => {
  const SECOND = 0.2;
  const ownLoad = ({ rung, fps }: { rung: number; fps: number }) =>
    ((LADDER[rung]?.costMs ?? 0) * fps) / 1000;
  const meanLoad = (second: number) => {
    const driver = createDriver();
    let sum = 0;
    for (let i = 0; i < 2400; i += 1) {
      const busy = ownLoad(driver.last) + second;
      driver.step((s) => ({ ...s, cpuUtil: null, busy, secondLoad: second }), second);
      t.ok(driver.tempC() < 79.5, `${driver.tempC()} °C`);
      if (i >= 1800) sum += ownLoad(driver.last);
    }
    return { load: sum / 600, tempC: driver.tempC() };
  };
  const [alone, shared] = [meanLoad(0), meanLoad(SECOND)];
  t.ok(Math.abs(alone.load - shared.load - SECOND) < 0.05, `${alone.load}, ${shared.load}`);
  t.ok(shared.tempC > 76, 'no less is used of the board than without it');
});

t.test('a cool board runs the best rung', async (t) => {
  const decision = createDriver({ ambientC: 25 }).run(900);
  t.equal(decision.mode, 'full');
  t.equal(decision.rung, LADDER.length - 1);
  t.equal(decision.fps, FPS);
});

t.test('seconds are mixed as frames would be', async (t) => {
  const driver = createDriver();
  driver.run(1500);
  let high = 0;
  let wanted = 0;
  for (let i = 0; i < 200; i += 1) {
    const { mix, rung } = driver.step();
    t.ok(rung === mix.low || rung === mix.high);
    wanted += mix.low === mix.high ? 0 : mix.fraction;
    if (rung === mix.high && mix.low !== mix.high) high += 1;
  }
  t.ok(Math.abs(high - wanted) <= 3, `${high} of 200 seconds, wanted ${wanted.toFixed(1)}`);
});

t.test('emergency: the floor at once, then half the rate and less', async (t) => {
  const driver = createDriver();
  driver.run(600);
  const at = driver.timeS;
  const hot = (s: number) => driver.governor.decide(sampleOf(at + s, 79.6));
  const first = hot(1);
  t.equal(first.mode, 'emergency');
  t.same([first.rung, first.mix.high], [0, 0]);
  const rates = [first.fps];
  for (let s = 2; s < 12; s += 1) rates.push(hot(s).fps);
  t.ok((rates[2] ?? FPS) <= FPS / 2);
  t.ok((rates[9] ?? FPS) <= FPS / 4);
});

t.test('throttle flags', async (t) => {
  t.test('a current one means the floor', async (t) => {
    const driver = createDriver();
    driver.run(300);
    const d = driver.step((s) => ({ ...s, tempC: 76, throttledFlags: 0b100 }));
    t.equal(d.mode, 'emergency');
    t.equal(d.mix.high, 0);
    t.match(d.reason, /firmware throttles/);
  });
  t.test('sticky bits and a weak supply do not act', async (t) => {
    const driver = createDriver({ ambientC: 25 });
    driver.run(300);
    const sticky = driver.step((s) => ({ ...s, throttledFlags: 0xf0000 }));
    t.equal(sticky.mode, 'full');
    const weak = driver.step((s) => ({ ...s, throttledFlags: 0x50005 }));
    t.equal(weak.mode, 'full');
    t.ok(weak.undervoltage);
    t.match(weak.reason, /power supply/);
  });
  t.test('heat that the sensor does not see', async (t) => {
    const driver = createDriver({ ambientC: 30 });
    driver.run(300);
    const d = driver.run(5, (s) => ({ ...s, throttledFlags: 0b110 }));
    t.equal(d.fault, 'contradicted');
    t.equal(d.mix.high, 0);
    t.ok(d.fps <= FPS / 2);
  });
  t.test('a board that throttles below its limit is learned', async (t) => {
    const driver = createDriver();
    const see = (s: Sample): Sample => ({ ...s, throttledFlags: driver.tempC() > 73 ? 0b1000 : 0 });
    driver.run(900, see);
    let flagged = 0;
    for (let i = 0; i < 900; i += 1) {
      driver.step(see);
      if (driver.tempC() > 73) flagged += 1;
    }
    t.ok(flagged <= 5, `${flagged} s above 73 °C`);
    t.ok(driver.tempC() > 66, `uses what there is: ${driver.tempC().toFixed(1)}`);
  });
});

t.test('sensor faults', async (t) => {
  const cases: [string, (s: Sample) => Sample, number][] = [
    ['missing', (s) => ({ ...s, tempC: null }), 35],
    ['range', (s) => ({ ...s, tempC: Number.NaN }), 35],
    ['range', (s) => ({ ...s, tempC: 300 }), 35],
    ['jump', (s) => ({ ...s, tempC: 21 + (s.timeS % 2) }), 35],
  ];
  for (const [kind, see, within] of cases) {
    t.test(`${kind}: coasts, then by the known model, less each minute; returns`, async (t) => {
      const driver = createDriver();
      // Told of the CPU's use: a neighbour would be noticed without the sensor.
      const sound = (s: Sample): Sample => ({ ...s, cpuUtil: usedBy(s) });
      const fault = (s: Sample): Sample => see(sound(s));
      const before = driver.run(900, sound);
      const coasting = driver.step(fault);
      t.equal(coasting.mode, 'coasting');
      t.equal(coasting.fault, kind);
      t.ok(coasting.budget <= before.budget + 1e-9, 'not raised by a fault');
      const minutes: number[] = [];
      const wrong = { raised: 0, hot: 0 };
      for (let i = 1; i < 600; i += 1) {
        const d = driver.step(fault);
        if (d.budget > before.budget + 1e-9) wrong.raised += 1;
        if (driver.tempC() >= 79.5) wrong.hot += 1;
        minutes[Math.floor(i / 60)] = (minutes[Math.floor(i / 60)] ?? 0) + d.budget / 60;
        if (i === within) t.ok(d.budget > 0.7 * before.budget, `${d.budget}: not the floor`);
      }
      t.same(wrong, { raised: 0, hot: 0 });
      t.equal(driver.last.mode, 'fault');
      t.match(driver.last.reason, /by what is known of the board/);
      const later = minutes.slice(2);
      t.same(
        later,
        [...later].sort((a, b) => b - a),
        'less each minute',
      );
      t.ok((minutes.at(-1) ?? 1) < 0.8 * before.budget, `${minutes.at(-1)}`);
      driver.run(2400, fault);
      t.equal(driver.last.mix.high, 0, 'in the end the floor');
      t.ok(driver.last.fps <= FPS / 2 + 0.01);
      driver.run(300, sound);
      t.equal(driver.last.fault, null);
      t.ok(driver.last.budget > 0.9 * before.budget, 'back');
    });
    t.test(`${kind}: the floor at half the rate where the board is not known`, async (t) => {
      const driver = createDriver();
      driver.run(60);
      for (let i = 0; i < within; i += 1) driver.step(see);
      t.equal(driver.last.mode, 'fault');
      t.equal(driver.last.mix.high, 0);
      t.ok(driver.last.fps <= FPS / 2 + 0.01);
      driver.run(600, see);
      t.equal(driver.last.mix.high, 0, 'and stays there');
    });
  }
  t.test('a wrong level that ends is forgotten', async (t) => {
    const driver = createDriver();
    const before = driver.run(900);
    driver.run(90, (s) => ({ ...s, tempC: 100 }));
    t.equal(driver.last.mix.high, 0, 'a hot reading is heeded');
    driver.run(240);
    t.equal(driver.last.fault, null);
    t.ok(driver.last.budget > 0.9 * before.budget, `${driver.last.budget}`);
  });
  t.test('one odd reading costs nothing', async (t) => {
    const driver = createDriver();
    const before = driver.run(900);
    driver.step((s) => ({ ...s, tempC: 0 }));
    driver.run(3);
    t.equal(driver.last.fault, null);
    t.ok(driver.last.budget > 0.97 * before.budget);
  });
  t.test('frozen while the board warms', async (t) => {
    const driver = createDriver();
    driver.run(60);
    const frozen = driver.tempC();
    const d = driver.run(600, (s) => ({ ...s, tempC: frozen }));
    t.ok(driver.tempC() < 80, `${driver.tempC()}`);
    t.ok(d.budget < 0.5);
  });
  t.test('quiet and coarse is no fault', async (t) => {
    const driver = createDriver();
    let faults = 0;
    for (let i = 0; i < 3600; i += 1) {
      const d = driver.step((s) => ({ ...s, tempC: Math.round(driver.tempC()) }));
      if (d.fault !== null) faults += 1;
    }
    t.equal(faults, 0);
  });
  t.test('never a sensor: the floor', async (t) => {
    const governor = createGovernor({ ladder: LADDER, limitC: 80, requestedFps: FPS });
    for (let i = 0; i < 50; i += 1) {
      const d = governor.decide(sampleOf(i, null));
      t.equal(d.mix.high, 0);
      t.ok(d.fps <= FPS / 2);
    }
  });
});

t.test('a sensor that never answers is none: not full for ever', async (t) => {
  for (const constantC of [0, -5, 27.8, 45]) {
    const driver = createDriver({ ambientC: constantC });
    const see = (s: Sample): Sample => ({
      ...s,
      tempC: constantC,
      requestedFps: s.timeS % 600 < 300 ? FPS / 3 : FPS / 6,
    });
    driver.run(1400, see);
    t.equal(driver.last.mode, 'full', `${constantC}: nothing is proven yet`);
    driver.run(1000, see);
    t.equal(driver.last.fault, 'unresponsive', String(constantC));
    t.equal(driver.last.mode, 'fault');
    t.equal(driver.last.mix.high, 0, 'the floor');
    t.match(driver.last.reason, /not answered to half an hour of changing load/);
    driver.run(3600, see);
    t.equal(driver.last.mode, 'fault', 'it stays so');
    driver.run(1500, (s) => ({ ...see(s), tempC: (s.tempC ?? 0) + 30 + (s.timeS % 2) / 2 }));
    t.equal(driver.last.fault, null, 'until it moves');
    t.not(driver.last.mode, 'fault');
  }
});

t.test('a constant is found out under a constant demand, too', async (t) => {
  const driver = createDriver({ ambientC: 45 });
  driver.run(2400, (s) => ({ ...s, tempC: 45 }));
  t.equal(driver.last.fault, 'unresponsive');
});

t.test('time', async (t) => {
  t.test('a suspend, a jump back and a stopped clock do not upset it', async (t) => {
    const driver = createDriver();
    const before = driver.run(900).budget;
    let shift = 0;
    for (const jump of [36_000, -100_000, 0.5]) {
      shift += jump;
      const moved = shift;
      for (let i = 0; i < 240; i += 1) {
        const d = driver.step((s) => ({ ...s, timeS: s.timeS + moved }));
        t.ok(driver.tempC() < 79.5);
        t.equal(d.fault, null);
      }
      t.ok(driver.last.budget > 0.8 * before, `after ${jump} s: ${driver.last.budget}`);
    }
    for (let i = 0; i < 60; i += 1) driver.step((s) => ({ ...s, timeS: 5 }));
    t.ok(driver.tempC() < 79.5);
  });
});

t.test('a restart remembers the board', async (t) => {
  const driver = createDriver();
  driver.run(1800);
  const record = JSON.parse(JSON.stringify(driver.governor.snapshot()));
  t.ok(JSON.stringify(record).length < 4096, 'a small record');
  const options = { ladder: LADDER, limitC: 80, requestedFps: FPS };
  const known = createGovernor({ ...options, restore: record, restoreElapsedS: 5 });
  const blank = createGovernor(options);
  const first = known.decide(sampleOf(0, driver.tempC(), { deliveredFps: 0 }));
  t.ok(first.board.gainErrorC < blank.decide(sampleOf(0, 60)).board.gainErrorC / 2);
  const second = driverOf(known);
  second.run(600);
  t.ok(second.tempC() < 79.5);
  for (const damaged of [{}, null, 'x', { ...record, version: 2 }, { ...record, guardC: 'a' }]) {
    t.doesNotThrow(() => createGovernor({ ...options, restore: damaged }));
  }
});

t.test('options', async (t) => {
  t.throws(() => createGovernor({ ladder: [], limitC: 80, requestedFps: 10 }), {
    code: 'MND_MODEL_MISSING',
  });
  const pinned = createGovernor({
    ladder: LADDER,
    limitC: 80,
    requestedFps: FPS,
    pin: 'mobilenet_v1_0.5_160',
  });
  t.equal(pinned.decide(sampleOf(0, 30)).rung, 1);
  t.equal(pinned.decide(sampleOf(1, 79.9)).rung, 1, 'a pinned rung is the floor: fewer frames');
  pinned.reconfigure({ ladder: LADDER, limitC: 80, requestedFps: FPS });
  const driver = driverOf(pinned, { ambientC: 25 });
  t.equal(driver.run(300).rung, 3, 'and may be released');
  const far = createGovernor({ ladder: LADDER, limitC: 80, requestedFps: FPS, marginC: 10 });
  const careful = driverOf(far);
  careful.run(1500);
  t.ok(careful.tempC() < 70.5 && careful.tempC() > 66, `${careful.tempC()}`);
});

t.test('a cooler target costs accuracy, and no frames', async (t) => {
  const at = (targetC: number | null, ambientC = 45, prefer: 'accuracy' | 'cool' = 'accuracy') => {
    const options = { ladder: LADDER, limitC: 80, requestedFps: FPS, targetC, prefer };
    const governor = createGovernor(options);
    const driver = driverOf(governor, { ambientC });
    driver.run(1800);
    return { tempC: driver.tempC(), last: driver.last };
  };
  const usual = at(null);
  const cool = at(65);
  t.ok(usual.tempC > 74, `${usual.tempC}`);
  t.ok(cool.tempC < 65.5 && cool.tempC > 61, `${cool.tempC}`);
  t.equal(cool.last.mode, 'limited');
  t.match(cool.last.reason, /as cool as 65 °C, which the configuration asks for/);
  t.equal(cool.last.fps, FPS);
  t.same(at(null, 45, 'cool').last, cool.last, 'cool is 15 °C below the limit');
  t.equal(at(60, 45, 'cool').last.targetC < 60.1, true, 'or what is said besides');
  // The room alone is warmer than that: the cheapest rung runs on.
  const beyond = at(40, 50);
  t.equal(beyond.last.rung, 0);
  t.ok(beyond.last.fps > FPS - 0.5, `${beyond.last.fps} frames a second`);
  t.ok(beyond.tempC < 60, `${beyond.tempC}`);
  const warmer = at(90);
  t.ok(Math.abs(warmer.tempC - usual.tempC) < 0.5, 'never above the limit’s own goal');
});

t.test('an energy budget holds a cool board down, and says so', async (t) => {
  const driver = createDriver({ ambientC: 20 });
  driver.run(600);
  t.equal(driver.last.mode, 'full');
  const saving = (mostLoad: number) => driver.run(60, (s) => ({ ...s, mostLoad }));
  const some = saving(0.3);
  t.equal(some.mode, 'limited');
  t.ok(some.savesEnergy);
  t.ok(Math.abs(some.budget - 0.3) < 1e-9, `${some.budget}`);
  t.equal(some.fps, FPS, 'accuracy first');
  t.match(some.reason, /as much as governor\.energy leaves for each second/);
  const least = saving(0);
  t.equal(least.mix.high, 0);
  t.ok(least.fps < 1, `${least.fps} frames a second`);
  driver.run(60);
  t.match(driver.last, { mode: 'full', savesEnergy: false }, 'at once when it is lifted');
});

t.test('heat that is worse than the energy budget is what is told', async (t) => {
  const driver = createDriver();
  driver.run(1800, (s) => ({ ...s, mostLoad: 0.95 }));
  t.match(driver.last, { mode: 'limited', savesEnergy: false });
  t.ok(driver.tempC() < 79.5, `${driver.tempC()}`);
});

t.test('garbage never throws and never goes unanswered', async (t) => {
  const random = createRandom(11);
  const junk = [Number.NaN, Infinity, -Infinity, -1, 0, 1e300, null, undefined, 'x', {}, 85, 3.7];
  const pickJunk = () => junk[Math.floor(random.next() * junk.length)];
  const governor = createGovernor({ ladder: LADDER, limitC: 80, requestedFps: FPS });
  for (let i = 0; i < 5000; i += 1) {
    const sample = Object.fromEntries(
      [
        'timeS',
        'tempC',
        'requestedFps',
        'deliveredFps',
        'latencyMs',
        'rung',
        'throttledFlags',
        'cpuUtil',
        'busy',
      ].map((key) => [key, random.next() < 0.5 ? pickJunk() : random.between(0, 100)]),
    ) as unknown as Sample;
    const d = governor.decide(sample);
    if (!(d.rung >= 0 && d.rung < LADDER.length && d.fps >= 0 && Number.isFinite(d.fps))) {
      t.fail(`sample ${JSON.stringify(sample)}: ${JSON.stringify(d)}`);
    }
    if (typeof d.reason !== 'string' || d.reason.includes('NaN')) t.fail(d.reason);
  }
  t.doesNotThrow(() => governor.decide(undefined as unknown as Sample));
  const after = driverOf(governor, { ambientC: 25 });
  // Neighbours that were never there are forgotten after 40 minutes.
  after.run(3000);
  t.ok(
    after.last.fault === null && after.last.budget > 0.5,
    `and it recovers: ${after.last.reason}`,
  );
});

t.test('the same samples give the same decisions', async (t) => {
  const a = createDriver();
  const b = createDriver();
  for (let i = 0; i < 300; i += 1) t.same(a.step(), b.step());
});

t.test(
  'a neighbour that comes and goes: its room is ours at once, and the limit is kept',
  async (t) => {
    const driver = createDriver();
    driver.run(900);
    const alone = driver.last.budget;
    let foreign = 0;
    let peak = 0;
    const budgets = { here: 0, gone: 0 };
    for (let s = 0; s < 1300; s += 1) {
      foreign = s % 130 < 50 ? 0.6 : 0;
      driver.step((sample) => sample, foreign);
      peak = Math.max(peak, driver.tempC());
      if (s > 500 && s % 130 === 45) budgets.here = driver.last.budget;
      if (s > 500 && s % 130 === 54) budgets.gone = driver.last.budget;
      if (s > 500 && s % 130 === 45)
        t.match(driver.last.reason, /other programs take \d+ % of the CPU/);
    }
    t.ok(peak < 79.5, `${peak}`);
    t.ok(budgets.here < 0.6 * alone, `${budgets.here} of ${alone} while it is here`);
    t.ok(budgets.gone > budgets.here + 0.1, `${budgets.gone} four seconds after it has gone`);
  },
);

t.test('nothing is given up in vain to a program that takes all that we leave', async (t) => {
  const driver = createDriver({ ambientC: 44, dieC: 10, boardC: 25 });
  driver.run(900);
  const own = () => ((LADDER[driver.last.rung]?.costMs ?? 0) * driver.last.fps) / 1000;
  const beside = (most: number) => driver.step(undefined, Math.min(most, Math.max(0, 1 - own())));
  let [said, dropped, hottestC] = [0, 0, 0];
  for (let s = 0; s < 400; s += 1) {
    const { fps, reason } = beside(1);
    if (/would take what we left, so that to leave it cools nothing/.test(reason)) said += 1;
    if (fps < FPS - 0.5) dropped += 1;
    hottestC = Math.max(hottestC, driver.tempC());
  }
  t.ok(said > 100, `said in ${said} seconds`);
  t.ok(dropped < 40, `frames are dropped in ${dropped} of 400 seconds, to look again`);
  t.ok(hottestC < 79.5, `${hottestC} °C`);
  for (let s = 0; s < 120; s += 1) beside(0.55);
  t.notMatch(driver.last.reason, /cools nothing/, 'from one that leaves a part yielding cools');
  t.ok(driver.last.budget < 0.6, `${driver.last.budget}`);
});
