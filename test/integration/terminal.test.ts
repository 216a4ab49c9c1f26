import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openStore } from '#mobilenetd/store/store.js';
import { skipWithoutFfmpeg } from '../camera/ffmpeg.js';
import { eventually } from '../eventually.js';
import { home } from './daemon-home.js';
import { MAIN } from './daemon-process.js';

const hasScript = spawnSync('script', ['--version']).status === 0;
const skip = hasScript ? false : 'script (util-linux) is not installed';
const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** A command on a terminal of its own: keys reach its whole foreground group, as a person's do. */
function onTerminal(folder: string, args: readonly string[]) {
  const command = [process.execPath, MAIN, ...args].map((part) => `'${part}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty cols 80 rows 24; exec ${command}`, '/dev/null'], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      MOBILENETD_STATE: folder,
      TERM: 'xterm',
      NO_COLOR: '1',
    },
  });
  let shown = '';
  child.stdout.on('data', (chunk) => {
    shown += chunk;
  });
  const ended = once(child, 'close');
  return {
    shown: () => shown,
    press: (keys: string) => child.stdin.write(keys),
    status: async () => (await ended)[0] as number,
  };
}

t.test(
  'Ctrl-C, twice, with a camera that ffmpeg reads: nothing warns',
  { skip: skip || skipWithoutFfmpeg },
  async (t) => {
    const { folder } = await home(t);
    const film = join(folder, 'film.mp4');
    const input = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=10:d=20'];
    execFileSync('ffmpeg', [...input, '-c:v', 'libx264', '-preset', 'ultrafast', film]);
    const config = join(folder, 'config.yaml');
    writeFileSync(
      config,
      [
        'node: board',
        'model: { task: classify, name: random_v1 }',
        'status: { listen: null }',
        'mqtt: { embedded: { listen: "127.0.0.1:0" } }',
        `cameras: { film: { source: video, path: ${film}, loop: true } }`,
      ].join('\n'),
    );
    const daemon = onTerminal(folder, ['run', '--config', config]);
    t.ok(await eventually(() => daemon.shown().includes('camera online')), daemon.shown());
    daemon.press(CTRL_C);
    daemon.press(CTRL_C);
    t.equal(await daemon.status(), 0, daemon.shown());
    t.notMatch(daemon.shown(), /WARN|ERROR|status 255|failed/);
    t.match(daemon.shown(), /INFO: stopped/);
    t.notMatch(daemon.shown(), '\u001b[', 'NO_COLOR is honoured');
  },
);

t.test('a simulation shows how far it is, and ends at once', { skip }, async (t) => {
  const { folder } = await home(t);
  const plot = join(folder, 'run.svg');
  const args = ['simulate', '--board', 'all', '--scenario', 'diurnal', '--plot', plot];
  const run = onTerminal(folder, args);
  t.ok(await eventually(() => /\[#* *\] {2}1 of \d+/.test(run.shown())), run.shown());
  run.press(CTRL_C);
  t.equal(await run.status(), 130);
  t.notOk(existsSync(plot));
  t.notMatch(run.shown(), /MND_|Error/);
});

t.test('a question ends with Ctrl-C like everything else, and with Ctrl-D', { skip }, async (t) => {
  const { folder } = await home(t);
  const store = openStore({
    file: join(folder, 'mobilenetd.db'),
    commitInterval: 1,
    detectionInterval: 0,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 1e6, maxRows: 1000 },
  });
  store.close();
  const forget = ['forget', '--before', '0s'];
  for (const [args, question, key, status] of [
    [forget, /\[y\/N\] /, CTRL_C, 130],
    [forget, /\[y\/N\] /, CTRL_D, 1],
    [['config', 'hash-password'], /Password: /, CTRL_C, 130],
    [['config', 'hash-password'], /Password: /, CTRL_D, 64],
  ] as const) {
    const run = onTerminal(folder, args);
    t.ok(await eventually(() => question.test(run.shown())), run.shown());
    run.press(key);
    t.equal(await run.status(), status, args.join(' '));
    t.notMatch(run.shown(), /MND_INTERNAL/);
    t.match(run.shown(), /\n$/, 'the prompt of the shell gets a line of its own');
  }
});
