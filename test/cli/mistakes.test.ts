import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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

t.test('where no daemon answers, a configuration that cannot be read is named', async (t) => {
  const folder = t.testdir({ 'broken.yaml': 'node: [\n', folder: {} });
  const commands: readonly CommandEntry[] = [
    { name: 'status', summary: '', load: () => import('#mobilenetd/cli/status.js') },
    { name: 'ctl', summary: '', load: () => import('#mobilenetd/cli/ctl.js') },
    { name: 'wrong', summary: '', load: () => import('#mobilenetd/cli/wrong.js') },
  ];
  const env = { ...process.env, MOBILENETD_STATE: join(folder, 'state') };
  for (const words of [['status'], ['ctl', 'reload'], ['wrong', '--list']]) {
    for (const [file, told] of [
      ['typo.yaml', /found \S+\/typo\.yaml: no such file, \S+\/control\.sock: no socket/],
      ['folder', /found \S+\/folder: a folder, /],
      ['broken.yaml', /found \S+\/control\.sock: no socket/],
    ] as const) {
      const args = ['--config', join(folder, file), ...words];
      const { status, stderr } = await runInProcess(commands, args, env);
      t.equal(status, 69, stderr);
      t.match(stderr, told, args.join(' '));
    }
  }
});
