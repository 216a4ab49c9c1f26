import { join } from 'node:path';
import t from 'tap';
import { readablePlaces } from '#mobilenetd/config/readable-places.js';

const BROKEN: Readonly<Record<string, string>> = {
  'an unknown key': 'state_dir: ./state\ncamras: {}\n',
  'a wrong value': 'state_dir: "./state"\ncameras: { front: { source: demo, fps: fast } }\n',
  'a bracket that is not closed': 'state_dir: ./state\ncameras: { front: { source: demo\n',
  'a quote that is not closed': 'node: "porch\nstate_dir: ./state # here\n',
  'a wrong indentation': 'state_dir: ./state\ncameras:\n  front:\n source: demo\n',
  'a tab': 'state_dir: ./state\ncameras:\n\tfront: { source: demo }\n',
};

t.test('the state folder of a broken file is found', async (t) => {
  for (const [what, text] of Object.entries(BROKEN)) {
    const folder = t.testdir({ 'config.yaml': text });
    const { stateDir } = readablePlaces({ files: [join(folder, 'config.yaml')], env: {} });
    t.equal(stateDir, join(folder, 'state'), what);
  }
});

t.test('a socket of its own, the environment, and nothing at all', async (t) => {
  const folder = t.testdir({ 'config.yaml': 'control: { socket: /run/own.sock }\nwrong: 1\n' });
  const files = [join(folder, 'config.yaml')];
  t.match(readablePlaces({ files, env: { MOBILENETD_STATE: '/elsewhere' } }), {
    stateDir: '/elsewhere',
    socket: '/run/own.sock',
  });
  t.match(readablePlaces({ files: [join(folder, 'none')], env: { STATE_DIRECTORY: '/var/x' } }), {
    stateDir: '/var/x',
    socket: null,
  });
});
