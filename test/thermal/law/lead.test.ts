import t from 'tap';
import { createLead } from '#mobilenetd/thermal/law/lead.js';

/** The lead after a climb of so many °C a second. */
function leadAfter(ratePerS: number, seconds = 10): number {
  const lead = createLead();
  let last = 0;
  for (let s = 0; s < seconds; s += 1) last = lead.update(50 + ratePerS * s, 1);
  return last;
}

t.test('a die that climbs by degrees a second is ahead of what is read', (t) => {
  t.ok(leadAfter(1) > 1.5);
  t.ok(leadAfter(2) > leadAfter(1), 'the faster, the further');
  t.ok(leadAfter(40) <= 6, 'a jump of the sensor is no climb of the die');
  t.end();
});

t.test('slow heat, cooling and nothing known make no lead', (t) => {
  t.equal(leadAfter(0.2), 0);
  t.equal(leadAfter(-3), 0);
  const lead = createLead();
  t.equal(lead.update(70, 1), 0, 'one moment tells no rate');
  t.equal(lead.update(Number.NaN, 1), 0);
  t.equal(lead.update(80, 1), 0, 'nor do two between which nothing was known');
  t.end();
});

t.test('a long pause is no steep climb', (t) => {
  const lead = createLead();
  lead.update(50, 1);
  t.equal(lead.update(60, 60), 0);
  t.end();
});
