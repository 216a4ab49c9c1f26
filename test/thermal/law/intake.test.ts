import t from 'tap';
import { createIntake } from '#mobilenetd/thermal/law/intake.js';
import type { Sample } from '#mobilenetd/thermal/sample.js';
import { LADDER, sampleOf } from '../plant-driver.js';

const open = () => createIntake(() => LADDER, 30);

t.test('time: a second, a pause, a jump, a clock that stands', (t) => {
  const intake = open();
  const at = (timeS: number) => {
    const { dtS, jumped } = intake.take(sampleOf(timeS, 60), null);
    return [dtS, jumped];
  };
  t.same(at(100), [1, false]);
  t.same(at(102), [2, false]);
  t.same(at(200), [98, true]);
  t.same(at(150), [1, true]);
  t.same(at(150), [1, true]);
  t.end();
});

t.test('what is missing or nonsense is as it was, or unknown', (t) => {
  const intake = open();
  intake.take(sampleOf(1, 60, { requestedFps: 12, rung: 2 }), null);
  const junk = { timeS: 'x', tempC: '60', requestedFps: Number.NaN, rung: null, cpuUtil: {} };
  const clean = intake.take(junk as unknown as Sample, null);
  t.same([clean.requestedFps, clean.rung, clean.readingC, clean.cpuUtil], [12, 2, null, null]);
  t.same(open().take(undefined as unknown as Sample, null).requestedFps, 30);
  t.end();
});

t.test('further inputs: in their range, or unknown', (t) => {
  const intake = open();
  const own = (ownCpu: unknown) =>
    intake.take(sampleOf(1, 60, { ownCpu } as Partial<Sample>), null).ownCpu;
  t.same([0, 0.4, 1].map(own), [0, 0.4, 1]);
  t.same([-0.1, 1.1, Number.NaN, '0.5', undefined, null].map(own), Array(6).fill(null));
  t.end();
});

t.test('own load: by frames and cost, or as told', (t) => {
  const byFrames = open().take(sampleOf(1, 60, { rung: 2, deliveredFps: 30, latencyMs: 16 }), null);
  t.ok(Math.abs(byFrames.load - 0.48) < 1e-9, `${byFrames.load}`);
  t.equal(open().take(sampleOf(1, 60, { busy: 0.3 }), null).load, 0.3);
  t.equal(open().take(sampleOf(1, 60, { busy: 7 }), null).load, 1);
  t.end();
});

t.test(
  'frames that wait for a crowded CPU count by their cost, and no threshold makes a jump',
  (t) => {
    // 30 frames of 2 ms, stretched to half of the second by others.
    const loadAt = (cpuUtil: number | null) =>
      open().take(sampleOf(1, 60, { rung: 0, deliveredFps: 30, busy: 0.5, cpuUtil }), null).load;
    const byFrames = open().take(sampleOf(1, 60, { rung: 0, deliveredFps: 30 }), null).load;
    t.ok(byFrames < 0.3, `${byFrames}`);
    for (const free of [null, Number.NaN, Number.NEGATIVE_INFINITY, -1, 0, 0.3, 0.6])
      t.equal(loadAt(free), 0.5, `${free}: nobody waits`);
    for (const crowded of [0.86, 0.88, 0.9, 1, Number.POSITIVE_INFINITY])
      t.ok(Math.abs(loadAt(crowded) - byFrames) < 1e-9);
    for (let util = 0; util < 0.98; util += 0.02) {
      const step = Math.abs(loadAt(util + 0.02) - loadAt(util));
      t.ok(step < 0.06, `${util}: ${step} by the noise of the utilisation`);
    }
    t.end();
  },
);

t.test('a caller that mixes frames and names one rung is found out by latency', (t) => {
  const intake = open();
  const last = { mix: { low: 1, high: 2, fraction: 0.5 }, rung: 2, fps: 30 };
  let load = 0;
  for (let s = 1; s < 60; s += 1) {
    load = intake.take(sampleOf(s, 60, { rung: 2, latencyMs: 11, cpuUtil: 0.4 }), last).load;
  }
  t.ok(Math.abs(load - 0.33) < 0.01, `${load}: 11 ms a frame, not 16`);
  t.end();
});

t.test('slowdown: by latency, else by frames left out of a busy CPU', (t) => {
  const of = (more: Partial<Sample>) =>
    open().take(sampleOf(1, 60, { rung: 2, ...more }), {
      mix: { low: 2, high: 2, fraction: 0 },
      rung: 2,
      fps: 30,
    }).slowdown;
  t.equal(of({ latencyMs: 32 }), 2);
  t.equal(of({ latencyMs: null, deliveredFps: 30 }), 1);
  t.equal(of({ latencyMs: null, deliveredFps: 15, cpuUtil: 0.2 }), null, 'the camera was slow');
  t.ok(Number(of({ latencyMs: null, deliveredFps: 15, cpuUtil: 0.99 })) > 2);
  t.equal(of({ latencyMs: null, deliveredFps: 0 }), null);
  t.end();
});
