import t from 'tap';
import { Signals } from '#mobilenetd/daemon/signals.js';
import { logTo } from '../integration/collected-log.js';

t.test('every listener hears, in the order they came, until it has ended', async (t) => {
  const signals = new Signals(logTo([]));
  const heard: string[] = [];
  const camera = { name: 'front', status: 'online', reason: null } as const;
  const end = signals.on('camera', ({ name }) => heard.push(`one ${name}`));
  signals.on('camera', ({ status }) => {
    heard.push(`two ${status}`);
    end();
  });
  signals.emit('camera', camera);
  signals.emit('camera', camera);
  t.same(heard, ['one front', 'two online', 'two online']);
});

t.test('a listener that fails harms nobody, and is logged once a minute', async (t) => {
  const lines: string[] = [];
  const signals = new Signals(logTo(lines));
  let heard = 0;
  signals.on('running', () => {
    throw new Error('thrown');
  });
  signals.on('running', async () => {
    throw new Error('rejected');
  });
  signals.on('running', () => {
    heard += 1;
  });
  for (let time = 0; time < 3; time += 1) signals.emit('running', {});
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(heard, 3);
  t.equal(lines.filter((line) => line.includes('a listener to running failed: thrown')).length, 1);
  t.equal(
    lines.filter((line) => line.includes('a listener to running failed: rejected')).length,
    1,
  );
});
