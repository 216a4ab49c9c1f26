import t from 'tap';
import { type AlarmEvidence, isNonsense, judgeAlarm } from '#mobilenetd/thermal/law/alarm.js';
import type { SensorFault } from '#mobilenetd/thermal/sample.js';

const CALM: AlarmEvidence = {
  estimateC: 77,
  sigmaC: 0.2,
  readingC: 77,
  noiseC: 0.3,
  lineC: 78.5,
  heat: false,
  nonsense: false,
};

t.test('what makes an emergency, and what does not', (t) => {
  const cases: [string, Partial<AlarmEvidence>, boolean][] = [
    ['below the line', {}, false],
    ['the estimate clearly above', { estimateC: 78.8 }, true],
    ['the estimate above within its doubt', { estimateC: 78.6 }, false],
    ['a noisy reading above', { estimateC: 78, readingC: 78.9 }, false],
    ['a reading that the noise cannot explain', { readingC: 79.5 }, true],
    ['a sudden rise', { estimateC: 74, readingC: 78.6, noiseC: 0.5 }, true],
    ['the firmware throttles', { heat: true }, true],
    ['nonsense is no reading', { readingC: 150, nonsense: true }, false],
    ['nothing is known', { estimateC: null, readingC: Number.NaN }, false],
  ];
  for (const [name, change, hot] of cases)
    t.equal(judgeAlarm({ ...CALM, ...change }).hot, hot, name);
  t.end();
});

t.test('cool is what is known to be below the line', (t) => {
  t.equal(judgeAlarm(CALM).cool, true);
  t.equal(judgeAlarm({ ...CALM, estimateC: 78.6 }).cool, false);
  t.equal(judgeAlarm({ ...CALM, heat: true }).cool, false);
  t.equal(judgeAlarm({ ...CALM, estimateC: null }).cool, false);
  t.end();
});

t.test('no die of a known board climbs by more than 15 °C in a second', (t) => {
  const verdict = (fault: SensorFault | null) => ({
    trust: 'safe' as const,
    fault,
    use: false,
    restart: false,
    stillS: 0,
    biasC: 0,
  });
  const seen = { unbiasedC: 110, estimateC: 61, acquainted: true, dtS: 1 };
  const nonsense = (changes: object, fault: SensorFault | null) =>
    isNonsense({ ...seen, ...changes, verdict: verdict(fault) });
  t.ok(nonsense({}, 'jump'));
  t.ok(nonsense({}, 'frozen'), 'nor does it when it then stands there');
  t.notOk(nonsense({ unbiasedC: 75 }, 'jump'), '14 °C may be heat');
  t.notOk(nonsense({ unbiasedC: 100, dtS: 3 }, 'jump'), 'so may 39 °C in three seconds');
  t.notOk(nonsense({ acquainted: false }, 'jump'), 'on a board that is not known all may be');
  t.notOk(nonsense({}, null), 'a sensor that is believed');
  t.ok(nonsense({ unbiasedC: 62, acquainted: false }, 'range'), 'no sensor at all');
  t.notOk(nonsense({ estimateC: null }, 'jump'));
  t.end();
});
