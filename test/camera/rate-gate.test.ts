import t from 'tap';
import { RateGate } from '#mobilenetd/camera/rate-gate.js';

/** Frames that pass in `seconds` of a source of `real` frames a second, each late by up to `jitter`. */
function count(fps: number, real: number, seconds: number, jitter = 0): number {
  const gate = new RateGate({ fps });
  let seed = 1;
  let passed = 0;
  for (let frame = 0; frame < real * seconds; frame += 1) {
    seed = (seed * 16_807) % 2_147_483_647;
    const late = (seed / 2_147_483_647) * jitter;
    if (gate.accepts(((frame + late) * 1000) / real)) passed += 1;
  }
  return passed;
}

t.test('min(real rate, fps) within a tenth, whatever the rhythm', (t) => {
  for (const fps of [0.2, 1, 5, 10, 24, 30, 60]) {
    for (const real of [0.2, 0.5, 1, 7, 10, 15, 25, 29.97, 30, 60]) {
      for (const jitter of [0, 0.3, 0.9]) {
        const seconds = 100 / Math.min(fps, real);
        const rate = count(fps, real, seconds, jitter) / seconds;
        const wanted = Math.min(fps, real);
        t.ok(Math.abs(rate / wanted - 1) <= 0.1, `${fps} of ${real}, ${jitter}: ${rate}`);
      }
    }
  }
  t.end();
});

t.test('never more than fps, and a flood is told of', (t) => {
  for (const fps of [1, 10, 30]) {
    const floods: number[] = [];
    const gate = new RateGate({ fps, most: 2 * fps + 5, onFlood: ({ came }) => floods.push(came) });
    let passed = 0;
    // 60 000 frames within ten seconds.
    for (let now = 0; now < 10_000; now += 1) {
      for (let copy = 0; copy < 6; copy += 1) if (gate.accepts(now)) passed += 1;
    }
    t.ok(passed <= fps * 10 + fps, `${passed} at ${fps}`);
    t.ok(passed >= fps * 9, `${passed} at ${fps}`);
    t.ok(floods.length > 0);
  }
  t.end();
});

t.test('frames that come in bursts after a short pause are not lost', (t) => {
  const gate = new RateGate({ fps: 10 });
  let passed = 0;
  for (let burst = 0; burst < 100; burst += 1) {
    for (let frame = 0; frame < 2; frame += 1) if (gate.accepts(burst * 200 + frame)) passed += 1;
  }
  t.ok(passed >= 190, `${passed} of 200`);
  t.end();
});

t.test('a camera that keeps its rate is no flood', (t) => {
  const gate = new RateGate({ fps: 5, onFlood: () => t.fail('flood') });
  for (let now = 0; now < 60_000; now += 1000 / 60) gate.accepts(now);
  t.end();
});
