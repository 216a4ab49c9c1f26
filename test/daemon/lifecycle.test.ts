import t from 'tap';
import { stopInTurn } from '#mobilenetd/daemon/lifecycle.js';

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
  await stopInTurn(parts, 1000, (part, error) => errors.push(`${part}: ${String(error)}`));
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
  await stopInTurn(parts, 40, (part) => errors.push(part));
  t.same(order, ['store']);
  t.same(errors, ['hangs']);
});
