import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { backupDatabase } from '#mobilenetd/store/backup.js';
import { openForReading } from '#mobilenetd/store/reading.js';
import { openStore, type Store } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../lasting-folder.js';
import { WHOLE_PICTURE } from '../whole-picture.js';

function event(id: string) {
  return {
    id,
    type: 'new',
    camera: 'front',
    label: 'person',
    score: 0.9,
    start: 1_700_000_000_000,
    end: null,
    model: 'm',
    alpha: 1,
    size: 300,
    count: 2,
    box: null,
    ...WHOLE_PICTURE,
  } as const;
}

function open(t: { teardown(run: () => void): void }, folder: string): Store {
  const store = openStore({
    file: join(folder, 'mobilenetd.db'),
    commitInterval: 1,
    detectionInterval: 0,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 1e6, maxRows: 1000 },
  });
  t.teardown(() => store.close());
  return store;
}

t.test('a copy is whole and of one moment, while the daemon writes on', async (t) => {
  const folder = lastingFolder(t);
  const store = open(t, folder);
  for (let n = 0; n < 200; n += 1) store.recordEvents([event(`before-${n}`)], []);
  const target = join(folder, 'copy.db');
  const copying = backupDatabase(join(folder, 'mobilenetd.db'), target);
  for (let n = 0; n < 50; n += 1) store.recordEvents([event(`during-${n}`)], []);
  const result = await copying;
  t.ok(result.events >= 200, `${result.events} events`);
  const copy = openForReading(target);
  const ids = copy.prepare('SELECT count(*) FROM event').pluck().get();
  t.equal(ids, result.events);
  copy.close();
  t.same(
    readdirSync(folder).filter((name) => name.startsWith('copy') && !/-(wal|shm)$/.test(name)),
    ['copy.db'],
    'one file',
  );
  t.ok(store.recordEvents([event('after')], []), 'the daemon goes on');
});

t.test('an existing file is not replaced unasked, and a failure leaves nothing', async (t) => {
  const folder = lastingFolder(t);
  open(t, folder).recordEvents([event('one')], []);
  const file = join(folder, 'mobilenetd.db');
  const target = join(folder, 'copy.db');
  writeFileSync(target, 'precious');
  await t.rejects(backupDatabase(file, target), { code: 'MND_OUTPUT_FAILED', message: /--force/ });
  t.match(await backupDatabase(file, target, { overwrite: true }), { events: 1 });
  await t.rejects(backupDatabase(join(folder, 'none.db'), join(folder, 'x.db')), {
    code: 'MND_INPUT_MISSING',
  });
  await t.rejects(backupDatabase(file, join(folder, 'no/such/folder/x.db')), {
    code: 'MND_OUTPUT_FAILED',
    message: /no folder .*no\/such\/folder; make it/,
  });
  t.notOk(existsSync(join(folder, 'x.db')));
});
