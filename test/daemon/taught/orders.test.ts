import t from 'tap';
import { runTeachOrder } from '#mobilenetd/daemon/taught/orders.js';
import type { Taught } from '#mobilenetd/daemon/taught/taught.js';
import { type TaughtTask, taskOf } from '#mobilenetd/taught/task.js';
import { variantNamed } from '../../taught/color-engine.js';

const FRONT = taskOf({ camera: 'front' });
const GATE = taskOf({ camera: 'front', zone: 'gate' });

/** What is asked to be forgotten, where "open" was taught of some places. */
async function forgotten(places: readonly TaughtTask[], asked: object) {
  const calls: unknown[] = [];
  const taught = {
    tasks: () =>
      places.map((task) => ({
        task,
        labels: [{ label: 'open', pictures: 3 }],
        others: 2,
        crops: [],
      })),
    forget: async (...call: unknown[]) => {
      calls.push(call);
      return { crops: 1, labels: [null], tasks: [] };
    },
  } as unknown as Taught;
  await runTeachOrder(
    { do: 'forget', ...asked },
    { taught, model: { variant: variantNamed('net') } },
  );
  return calls;
}

t.test('the opposite of a label is that of the place where it was taught', async (t) => {
  t.same(await forgotten([GATE], { label: 'open', not: true }), [[null, GATE]]);
  t.same(await forgotten([GATE, FRONT], { label: 'open', not: true, camera: 'front' }), [
    [null, FRONT],
  ]);
  t.same(await forgotten([GATE], { label: 'open' }), [['open', null]], 'the label goes everywhere');
  t.same(await forgotten([GATE], { not: true }), [[null, taskOf({})]]);
  await t.rejects(forgotten([GATE, FRONT], { label: 'open', not: true }), {
    ...{ code: 'MND_TEACH_INVALID', message: /several ways.*zone gate of camera front; whole/ },
  });
  await t.rejects(forgotten([GATE], { label: 'opne', not: true }), { code: 'MND_INPUT_MISSING' });
});

t.test('what is recorded needs a camera, and a name or that it is the opposite', async (t) => {
  const record = (asked: object) =>
    runTeachOrder(
      { do: 'record', ...asked },
      {
        taught: { record: async (order: object) => order } as unknown as Taught,
        model: { variant: variantNamed('net') },
      },
    );
  const code = 'MND_TEACH_INVALID';
  await t.rejects(record({}), { code, message: /camera, and label or not: true/ });
  await t.rejects(record({ camera: 'front' }), { code });
  await t.rejects(record({ label: 'open' }), { code });
  t.match(await record({ camera: 'front', not: true }), { label: null, camera: 'front' });
  t.match(await record({ camera: 'front', label: 'open' }), { label: 'open', seconds: 20 });
});

t.test('a report of a label that was not taught is no empty one', async (t) => {
  const taught = {
    ...{ tasks: () => [], unusable: () => [], recordings: () => [], fault: () => null },
  } as unknown as Taught;
  const report = (asked: object) =>
    runTeachOrder({ do: 'report', ...asked }, { taught, model: { variant: variantNamed('net') } });
  await t.rejects(report({ label: 'opne' }), { code: 'MND_INPUT_MISSING', message: /"opne"/ });
  t.match(await report({}), { tasks: [] });
});
