import t from 'tap';
import { type AlarmEvidence, judgeAlarm } from '#mobilenetd/thermal/law/alarm.js';

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
