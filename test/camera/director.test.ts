import t from 'tap';
import { createDirector, type DirectorOptions } from '#mobilenetd/camera/director.js';
import { settle } from '../fake-clock.js';

/** A director whose sources say what they do, and take a moment to stop. */
function setUp(overrides: Partial<DirectorOptions> = {}) {
  const said: string[] = [];
  let running = 0;
  const director = createDirector({
    async supervise(mode, signal, onStatus) {
      said.push(`start ${mode}`);
      running += 1;
      if (running > 1) said.push('two at a time');
      onStatus('online', null);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await settle();
      onStatus('offline', 'stopped');
      running -= 1;
      said.push(`end ${mode}`);
    },
    onStatus: (status, reason) => said.push(reason === null ? status : `${status}: ${reason}`),
    ...overrides,
  });
  const ending = new AbortController();
  const done = director.run(ending.signal);
  return {
    director,
    said,
    async end() {
      ending.abort();
      await done;
    },
  };
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await settle();
}

t.test('a change of mode stops one source and starts the other', async (t) => {
  const { director, said, end } = setUp();
  await rest();
  director.set('still');
  director.set('still');
  await rest();
  director.set('off', 'night');
  await rest();
  t.equal(director.mode(), 'off');
  director.set('stream');
  await rest();
  await end();
  t.same(said, [
    ...['start stream', 'online', 'end stream'],
    ...['start still', 'online', 'end still'],
    'disabled: night',
    ...['start stream', 'online', 'end stream'],
    'offline: stopped',
  ]);
});

t.test(
  'work has the camera for itself, one after the other, and failures are its own',
  async (t) => {
    const { director, said, end } = setUp();
    await rest();
    const work = (name: string) => async () => {
      said.push(`begin ${name}`);
      await settle();
      said.push(`finish ${name}`);
      return name;
    };
    const [a, b] = [director.exclusively(work('a')), director.exclusively(work('b'))];
    const failing = t.rejects(
      director.exclusively(async () => {
        throw new Error('no light');
      }),
      /no light/,
    );
    t.same(await Promise.all([a, b]), ['a', 'b']);
    await failing;
    await rest();
    await end();
    t.same(said, [
      ...['start stream', 'online', 'end stream'],
      ...['begin a', 'finish a', 'begin b', 'finish b'],
      ...['start stream', 'online', 'end stream'],
      'offline: stopped',
    ]);
  },
);

t.test('a camera that is off, goes off or has not begun lends nothing', async (t) => {
  const { director, end } = setUp();
  director.set('off', 'night');
  await rest();
  await t.rejects(
    director.exclusively(async () => 1),
    { code: 'MND_CAMERA_STOPPED', message: /night/ },
  );
  director.set('stream');
  await rest();
  const late = t.rejects(
    director.exclusively(async () => 1),
    { code: 'MND_CAMERA_STOPPED' },
  );
  director.set('off', 'night');
  await late;
  await end();
  const idle = createDirector({ supervise: async () => {}, onStatus: () => {} });
  await t.rejects(
    idle.exclusively(async () => 1),
    { code: 'MND_CAMERA_STOPPED' },
  );
});

t.test('a source that has ended is not begun again; a restart does', async (t) => {
  let starts = 0;
  const { director, end } = setUp({
    async supervise() {
      starts += 1;
    },
  });
  await rest();
  t.equal(starts, 1);
  director.restart();
  await rest();
  t.equal(starts, 2);
  await end();
});
