import t from 'tap';
import { haveSameLabels } from '#mobilenetd/profile/profiles.js';
import { variantNamed } from '../taught/color-engine.js';

t.test('networks of the same labels, whether they count the background or not', (t) => {
  const of = (...labels: string[]) => ({ ...variantNamed('net'), labels });
  const names = ['cat', 'dog', 'bird'];
  const alike = [
    of(...names),
    of('background', ...names),
    of('', ...names),
    of('Background', ...names),
  ];
  for (const one of alike) for (const other of alike) t.ok(haveSameLabels(one, other));
  for (const strange of [
    of('cat', 'bird', 'dog'),
    of('cat', 'dog'),
    of(...names, 'fish'),
    of('', '', 'cat', 'dog'),
  ]) {
    t.notOk(haveSameLabels(of(...names), strange));
    t.notOk(haveSameLabels(strange, of('background', ...names)));
  }
  t.end();
});
