import t from 'tap';
import { stillReading } from '#mobilenetd/thermal/law/still.js';

t.test('a coarse reading that stands still bounds the temperature by half a step', (t) => {
  const coarse = { noisy: false, stepC: 1 };
  t.equal(stillReading(70, 70.3, coarse), 70.3, 'within the step');
  t.equal(stillReading(70, 69, coarse), 69.5, 'at least');
  t.equal(stillReading(70, 72, coarse), 70.5, 'at most');
  t.end();
});

t.test('a noisy one may warn, not argue the model down', (t) => {
  const noisy = { noisy: true, stepC: 0.5 };
  t.equal(stillReading(70, 68, noisy), 70);
  t.equal(stillReading(70, 72, noisy), null);
  t.end();
});
