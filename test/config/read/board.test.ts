import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { boardOf } from '#mobilenetd/config/read/board.js';

const NONE = '/nonexistent/config.yaml';

t.test('boards by the name in their device tree', async (t) => {
  const boards = {
    'Raspberry Pi 3 Model B Plus Rev 1.3': 'pi3',
    'Raspberry Pi 3 Model A Plus Rev 1.0': 'pi3',
    'Raspberry Pi Zero 2 W Rev 1.0': 'pi3',
    'Raspberry Pi Compute Module 3 Plus Rev 1.0': 'pi3',
    'Raspberry Pi 4 Model B Rev 1.4': 'pi4',
    'Raspberry Pi 400 Rev 1.0': 'pi4',
    'Raspberry Pi Compute Module 4 Rev 1.1': 'pi4',
    'Raspberry Pi 5 Model B Rev 1.0': 'pi5',
    'Raspberry Pi 500 Rev 1.0': 'pi5',
    'Raspberry Pi Compute Module 5 Rev 1.0': 'pi5',
    'Raspberry Pi 2 Model B Rev 1.1': null,
    'Raspberry Pi Zero W Rev 1.1': null,
    'Radxa ROCK 5B': null,
  };
  for (const [model, board] of Object.entries(boards)) t.equal(boardOf(model), board, model);
});

t.test('the overlay lies over the defaults and under the file, and names itself', async (t) => {
  const folder = t.testdir({
    'c.yaml':
      'store: { commit_interval: 9 }\ncameras: { a: { source: demo }, b: { source: demo, fps: 2 } }\n',
  });
  const load = (boardModel: string | null, env = {}) =>
    loadConfig({ files: [join(folder, 'c.yaml')], env, boardModel });
  const none = load(null);
  t.equal(none.config.cameras.a?.fps, 10);
  const pi3 = load('Raspberry Pi 3 Model B Plus Rev 1.3');
  t.equal(pi3.config.cameras.a?.fps, 5, 'a camera that says nothing has the rate of the board');
  t.match(
    pi3.origins.get('cameras.a.fps'),
    /^config\/pi3\.yaml:\d+ for Raspberry Pi 3 Model B Plus/,
  );
  t.equal(pi3.config.cameras.b?.fps, 2, 'one that does keeps its own');
  t.match(pi3.origins.get('cameras.b.fps'), /c\.yaml:2$/);
  t.equal(pi3.config.store.commit_interval, 9, 'the file wins');
  const pi5 = load('Raspberry Pi 5 Model B Rev 1.0');
  t.equal(pi5.config.model.threads, 2);
  t.match(pi5.origins.get('model.threads'), /^config\/pi5\.yaml:\d+ for Raspberry Pi 5/);
  const own = load('Raspberry Pi 5 Model B Rev 1.0', { MOBILENETD_MODEL_THREADS: '4' });
  t.equal(own.config.model.threads, 4);
});

t.test('the board can be named, or none taken', async (t) => {
  const load = (board: string, boardModel: string | null) =>
    loadConfig({ env: { MOBILENETD_BOARD: board }, systemFile: NONE, boardModel });
  t.equal(load('none', 'Raspberry Pi 5 Model B').config.model.threads, 'auto');
  const named = load('pi5', null);
  t.equal(named.config.model.threads, 2);
  t.match(named.origins.get('model.threads'), /^config\/pi5\.yaml:\d+$/);
  t.throws(() => load('pi9', null), /board: expected auto, none, pi3, pi4 or pi5/);
});

t.test('the device tree is looked for where governor.proc_root says', async (t) => {
  const folder = t.testdir({
    proc: { 'device-tree': { model: 'Raspberry Pi 4 Model B Rev 1.4\0' } },
    'c.yaml': 'governor: { proc_root: proc }\n',
  });
  const { config, origins } = loadConfig({ files: [join(folder, 'c.yaml')], env: {} });
  t.equal(config.store.commit_interval, 5);
  t.match(origins.get('store.commit_interval'), /^config\/pi4\.yaml:\d+ for Raspberry Pi 4/);
});

t.test('every overlay fits the schema, with a camera and without', async (t) => {
  for (const board of ['pi3', 'pi4', 'pi5']) {
    for (const cameras of ['{}', '{"front":{"source":"demo"}}']) {
      const env = { MOBILENETD_BOARD: board, MOBILENETD_CAMERAS: cameras };
      const { origins } = loadConfig({ env, systemFile: NONE });
      t.ok([...origins.values()].some((origin) => origin.startsWith(`config/${board}.yaml:`)));
    }
  }
});

t.test('a program without its overlay says what to do', async (t) => {
  const options = {
    env: {},
    systemFile: NONE,
    boardModel: 'Raspberry Pi 4',
    packageRoot: t.testdir(),
  };
  t.throws(() => loadConfig(options), /config\/pi4\.yaml.*install the program again/);
});
