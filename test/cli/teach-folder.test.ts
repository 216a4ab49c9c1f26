import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import type { CommandContext } from '#mobilenetd/cli/command.js';
import { teachFolder } from '#mobilenetd/cli/teach/folder.js';
import type { TeachTools } from '#mobilenetd/cli/teach/tools.js';
import { Embedder } from '#mobilenetd/taught/embedder.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import { taskOf } from '#mobilenetd/taught/task.js';
import { colorEngine, drawn, variantNamed } from '../taught/color-engine.js';

t.test('an interrupt keeps what was taken, and says how much that is', async (t) => {
  const pictures = await Promise.all([0, 1, 2, 3].map((at) => drawn([200, 30, 30], at)));
  const place = t.testdir(Object.fromEntries(pictures.map((bytes, n) => [`${n}.jpg`, bytes])));
  const stop = new AbortController();
  const { engine, runs } = colorEngine();
  const run: typeof engine.run = (...asked) => {
    // In the middle of the third picture.
    if (runs.length === 2) stop.abort(new Error('interrupted by the test'));
    return engine.run(...asked);
  };
  const embedder = new Embedder({ start: async () => ({ ...engine, run }) });
  t.teardown(() => embedder.close());
  const shelf = new CropShelf(join(place, 'state'), { maxCrops: 99, maxBytes: 9_000_000 });
  const tools = { shelf, embedder, variantFor: async () => variantNamed('colors') };
  let said = '';
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      said += String(chunk);
      done();
    },
  });
  const context = { stderr, signal: stop.signal } as unknown as CommandContext;
  const wanted = { task: taskOf({}), label: 'red' };
  await t.rejects(
    teachFolder(wanted, place, tools as unknown as TeachTools, context),
    /interrupted by the test/,
  );
  t.equal((await shelf.list()).length, 3);
  t.match(said, /interrupted: 3 pictures of red kept; mobilenetd teach --undo takes them back/);
});
