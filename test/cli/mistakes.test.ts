import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CommandEntry } from '#mobilenetd/cli/command.js';
import { openStore } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../lasting-folder.js';
import { runInProcess } from './in-process.js';

const COMMANDS: readonly CommandEntry[] = [
  { name: 'simulate', summary: '', load: () => import('#mobilenetd/cli/simulate.js') },
  { name: 'export', summary: '', load: () => import('#mobilenetd/cli/export.js') },
  { name: 'backup', summary: '', load: () => import('#mobilenetd/cli/backup.js') },
];

t.test('results that go nowhere are no defect, and leave nothing', async (t) => {
  const folder = lastingFolder(t, {
    file: '',
    state: {},
    there: {},
    'there.csv': {},
    'there.db': {},
  });
  const state = join(folder, 'state');
  openStore({
    file: join(state, 'mobilenetd.db'),
    commitInterval: 2,
    detectionInterval: 0,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 3600, maxRows: 100 },
  }).close();
  const simulate = (option: string) => ['simulate', '--scenario', 'nominal', option];
  const before = readdirSync(folder).sort();
  for (const [place, reason] of [
    ['none/a', /no folder .*\/none; make it/],
    ['file/a', /\/file, which is no folder/],
    ['there', /a folder/],
    ['x'.repeat(300), /a name that is too long/],
  ] as const) {
    for (const [words, ending] of [
      [simulate('--plot'), ''],
      [simulate('--record'), ''],
      [['export'], '.csv'],
      [['export'], '.db'],
      [['export', '--detections'], '.csv'],
      [['backup'], '.db'],
    ] as const) {
      // There is a folder of that name, in which a backup makes a file of its own.
      if (words[0] === 'backup' && place === 'there') continue;
      const args = [...words, join(folder, `${place}${ending}`)];
      const env = { ...process.env, MOBILENETD_STATE: state };
      const { status, stderr } = await runInProcess(COMMANDS, args, env);
      t.equal(status, 1, args.join(' '));
      t.match(stderr, /^mobilenetd: MND_OUTPUT_FAILED: [^\n]*\n$/, 'one coded line');
      t.match(stderr, reason);
    }
  }
  t.same(readdirSync(folder).sort(), before);
});

/** Runs the program as an ordinary user; gives its status and what it said. */
function asNobody(state: string, ...args: string[]) {
  try {
    const stdout = execFileSync(process.execPath, ['dist/cli/main.js', ...args], {
      uid: 65534,
      gid: 65534,
      env: { PATH: process.env.PATH, MOBILENETD_STATE: state, HOME: '/nonexistent' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { status: 0, text: stdout };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    return { status, text: stderr };
  }
}

/** A state folder that is root's alone, as that of a packaged service is its user's. */
function foreignState(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-foreign-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
  chownSync(state, 0, 0);
  return state;
}

t.test("beside another user's service every command says how to ask", async (t) => {
  if (process.getuid?.() !== 0) return t.comment('only root can become another user');
  const state = foreignState(t);
  for (const args of [
    ['query'],
    ['events'],
    ['backup', '/tmp/never.db'],
    ['export', '/tmp/never.csv'],
    ['forget', '--before', '1d', '--yes'],
    ['status'],
    ['ctl', 'reload'],
    ['ctl', 'reset'],
    ['wrong', 'e1'],
    ['teach', 'cup', '--from', 'test/fixtures'],
    ['models', 'list'],
    ['demo', '--for', '1'],
  ]) {
    const { status, text } = asNobody(state, ...args);
    t.ok(status > 0, args.join(' '));
    t.match(text, /sudo -u mobilenetd mobilenetd/, args.join(' '));
    t.equal(text.trimEnd().split('\n').length, 1, `one line: ${text}`);
    t.notMatch(text, /MND_INTERNAL/);
  }
});
