import t from 'tap';
import { createThrottlePoint } from '#mobilenetd/thermal/law/throttle-point.js';

t.test('the moment throttling starts is the new limit; it is forgotten at 3 °C an hour', (t) => {
  const point = createThrottlePoint();
  const at = (throttled: boolean, temperatureC: number, dtS = 1) =>
    point.update(80, { throttled, temperatureC, dtS });
  t.equal(at(false, 75), 80);
  t.equal(at(true, 74), 74);
  t.ok(at(true, 71) > 73.9, 'the flag stays on below that point');
  t.equal(at(false, 71), point.learnedC);
  t.ok(Math.abs(at(false, 70, 3600) - 77) < 0.1);
  t.equal(at(false, 70, 3600), 80);
  t.equal(point.learnedC, null);
  t.end();
});

t.test('throttling at the limit teaches nothing, and 45 °C is the least', (t) => {
  const point = createThrottlePoint();
  t.equal(point.update(80, { throttled: true, temperatureC: 82, dtS: 1 }), 80);
  t.equal(createThrottlePoint().update(80, { throttled: true, temperatureC: 20, dtS: 1 }), 45);
  t.equal(
    createThrottlePoint(70).update(80, { throttled: false, temperatureC: 60, dtS: 1 }) < 71,
    true,
  );
  t.end();
});
