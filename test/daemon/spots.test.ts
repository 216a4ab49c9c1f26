import t from 'tap';
import { SuppressedSpots } from '#mobilenetd/daemon/spots.js';
import { SILENT } from '#mobilenetd/log.js';
import type { Spot } from '#mobilenetd/presence/spots.js';
import { systemClock } from '#mobilenetd/time.js';
import { event, setup } from '../store/sample-store.js';

t.test('an event that was wrong is remembered over a restart, counted and undone', async (t) => {
  const { open } = setup(t);
  let store = open();
  const suppressed: (readonly Spot[])[] = [];
  const held = new Map<string, number>();
  const presence = {
    suppress: (spots: readonly Spot[]) => void suppressed.push(spots),
    held: () => {
      const now = new Map(held);
      held.clear();
      return now;
    },
  };
  const camera = { name: 'front', presence };
  const config = { cameras: { front: { size: [640, 480] as [number, number] } } };
  const spotsOf = () =>
    new SuppressedSpots({
      clock: systemClock,
      store,
      cameras: { list: () => [camera] },
      config,
      log: SILENT,
    });
  let spots = spotsOf();
  store.recordEvents([event({ id: 'abcd-1', box: [10, 20, 30, 40], object: 'o' })], []);
  store.recordEvents([event({ id: 'abcd-2', box: null })], []);

  t.throws(() => spots.wrong('abc'), { code: 'MND_INPUT_MISSING' }, 'too short');
  t.throws(() => spots.wrong('abcd'), { code: 'MND_INPUT_MISSING' }, 'two begin so');
  t.throws(() => spots.wrong('nothing'), { code: 'MND_INPUT_MISSING' });
  t.throws(() => spots.wrong('abcd-2'), { code: 'MND_SPOT_INVALID', message: /enter/ });
  t.match(spots.wrong('abcd-1'), { id: '1', camera: 'front', label: 'person', held: 0 });
  t.equal(spots.wrong('abcd-1').id, '1', 'once is enough');
  t.match(suppressed.at(-1), [{ id: '1', label: 'person', box: [10, 20, 30, 40] }]);

  held.set('1', 3);
  spots.count();
  t.match(spots.answer({ event: null, undo: null }), [{ held: 3, last: /T/ }]);
  store.close();
  store = open();
  config.cameras.front.size = [1280, 960];
  spots = spotsOf();
  spots.apply();
  t.match(suppressed.at(-1), [{ box: [20, 40, 60, 80] }], 'after a restart, in another size');
  t.throws(() => spots.undo('7'), { code: 'MND_INPUT_MISSING' });
  t.match(spots.answer({ event: null, undo: '1' }), [{ id: '1' }]);
  t.same(suppressed.at(-1), []);
  t.same(spots.list(), []);
  store.close();
});
