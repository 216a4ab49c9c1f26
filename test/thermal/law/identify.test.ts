import t from 'tap';
import { Identification } from '#mobilenetd/thermal/law/identify.js';
import type { CleanSample } from '#mobilenetd/thermal/law/intake.js';
import { INPUTS, type Inputs } from '#mobilenetd/thermal/sample.js';
import { decodeThrottled } from '#mobilenetd/thermal/throttle-flags.js';

const NO_INPUTS = Object.fromEntries(Object.keys(INPUTS).map((name) => [name, null])) as Inputs;
const CLEAN: CleanSample = {
  dtS: 1,
  jumped: false,
  readingC: 60,
  requestedFps: 10,
  rung: 0,
  load: 0.5,
  parts: [[0, 0.5]],
  slowdown: null,
  cpuUtil: null,
  ...NO_INPUTS,
  flags: 0,
};
const NO_HEAT = decodeThrottled(0);

t.test('nothing is known before a reading; then it follows', (t) => {
  const known = new Identification({});
  const none = known.update({ ...CLEAN, readingC: null }, NO_HEAT, 80);
  t.same([none.estimateC, none.verdict.trust], [null, 'coasting']);
  t.ok(Number.isNaN(none.unbiasedC));
  for (let s = 0; s < 30; s += 1) {
    known.update({ ...CLEAN, readingC: 60 + 0.5 * (s % 2) }, NO_HEAT, 80);
  }
  const after = known.update(CLEAN, NO_HEAT, 80);
  t.ok(Math.abs((after.estimateC ?? 0) - 60.25) < 0.5, `${after.estimateC}`);
  t.ok(after.trusted);
  t.end();
});

t.test('throttling counts unless the sensor contradicts it', (t) => {
  const known = new Identification({});
  for (let s = 0; s < 30; s += 1) known.update({ ...CLEAN, readingC: 78 + (s % 2) }, NO_HEAT, 80);
  const heat = decodeThrottled(0b110);
  t.equal(known.update({ ...CLEAN, readingC: 79 }, heat, 80).throttled, true);
  const cool = new Identification({});
  for (let s = 0; s < 30; s += 1) cool.update({ ...CLEAN, readingC: 50 + (s % 2) }, NO_HEAT, 80);
  t.equal(cool.update({ ...CLEAN, readingC: 50 }, heat, 80).throttled, false);
  t.equal(cool.update({ ...CLEAN, readingC: 51 }, heat, 80).verdict.fault, 'contradicted');
  t.end();
});
