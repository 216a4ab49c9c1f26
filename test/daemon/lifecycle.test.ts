import t from 'tap';
import { createLifecycle } from '#mobilenetd/daemon/lifecycle.js';

t.test('stops in reverse order, past a failure', async (t) => {
  const order: string[] = [];
  const errors: string[] = [];
  const lifecycle = createLifecycle({
    onError: (part, error) => errors.push(`${part}: ${String(error)}`),
  });
  lifecycle.started('store', () => void order.push('store'));
  lifecycle.started('broker', async () => {
    throw new Error('stuck');
  });
  lifecycle.started('camera', async () => void order.push('camera'));
  await lifecycle.stop(1000);
  await lifecycle.stop(1000);
  t.same(order, ['camera', 'store']);
  t.same(errors, ['broker: Error: stuck']);
});

t.test('leaves a part behind that does not stop', async (t) => {
  const order: string[] = [];
  const errors: string[] = [];
  const lifecycle = createLifecycle({ onError: (part) => errors.push(part) });
  lifecycle.started('store', () => void order.push('store'));
  lifecycle.started('hangs', () => new Promise(() => {}));
  await lifecycle.stop(40);
  t.same(order, ['store']);
  t.same(errors, ['hangs']);
});
