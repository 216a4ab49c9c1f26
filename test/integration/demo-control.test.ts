import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { askDaemon } from '#mobilenetd/control/client.js';
import { installRandomModel, runDemo } from './demo-process.js';

t.test("the demo's log level can be changed while it runs, its configuration cannot", async (t) => {
  // The path of a Unix socket has about a hundred bytes.
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const demo = runDemo({ folder, model: await installRandomModel(folder) });
  t.teardown(() => demo.end('SIGKILL'));
  const { state } = await demo.ready;
  const places = { sockets: [join(state, 'control.sock')] };
  t.same(await askDaemon({ verb: 'log-level', level: null }, places), { level: 'warn' });
  t.same(await askDaemon({ verb: 'log-level', level: 'debug' }, places), { level: 'debug' });
  await t.rejects(askDaemon({ verb: 'reload' }, places), {
    code: 'MND_CONTROL_REQUEST',
    message: /fixed, as in the demo/,
  });
  t.equal(await demo.end('SIGTERM'), 0);
});
