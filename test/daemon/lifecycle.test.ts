import t from 'tap';
import { stopInTurn } from '#mobilenetd/daemon/lifecycle.js';
import { createFakeClock } from '../fake-clock.js';

t.test('stops one after the other, past a failure', async (t) => {
  const order: string[] = [];
  const errors: string[] = [];
  const parts = [
    { name: 'camera', stop: async () => void order.push('camera') },
    {
      name: 'broker',
      stop: async () => {
        throw new Error('stuck');
      },
    },
    { name: 'store', stop: () => void order.push('store') },
  ];
  const failed = (part: string, error: unknown) => errors.push(`${part}: ${String(error)}`);
  await stopInTurn(parts, 1000, failed, createFakeClock());
  t.same(order, ['camera', 'store']);
  t.same(errors, ['broker: Error: stuck']);
});

t.test('leaves a part behind that does not stop', async (t) => {
  const order: string[] = [];
  const errors: string[] = [];
  const parts = [
    { name: 'hangs', stop: () => new Promise<void>(() => {}) },
    { name: 'store', stop: () => void order.push('store') },
  ];
  const clock = createFakeClock();
  await clock.runUntil(stopInTurn(parts, 5000, (part) => errors.push(part), clock));
  t.same(order, ['store']);
  t.same(errors, ['hangs']);
  t.equal(clock.now(), 2500, 'half of the time that there is');
});
