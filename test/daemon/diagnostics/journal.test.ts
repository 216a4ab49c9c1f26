import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { goesToJournal } from '#mobilenetd/daemon/diagnostics/journal.js';
import { createLog, type LogOptions } from '#mobilenetd/daemon/diagnostics/log.js';
import { codedError } from '#mobilenetd/errors.js';

function lines(options: Partial<LogOptions>, write: (log: ReturnType<typeof createLog>) => void) {
  const destination = Object.assign(new PassThrough(), { isTTY: options.format === 'pretty' });
  const log = createLog({ level: 'trace', format: 'auto', destination, ...options });
  write(log);
  return String(destination.read() ?? '')
    .trimEnd()
    .split('\n');
}

t.test('the journal gets priorities, and no time beside its own', async (t) => {
  const found = lines({ journal: true }, (log) => {
    log.debug('quiet');
    log.child({ part: 'store' }).info({ file: 'x.db' }, 'opened');
    log.warn({ camera: 'front' }, 'stalled');
    log.error({ err: codedError('MND_STORE_FAILED', { found: 'full' }) }, 'cannot be written');
    log.fatal({ err: new Error('two\nlines') }, 'a defect');
  });
  t.same(found.slice(0, 4), [
    '<7>quiet',
    '<6>store: opened {"file":"x.db"}',
    '<4>stalled {"camera":"front"}',
    '<3>cannot be written',
  ]);
  t.equal(found[4], '<2>a defect');
  t.ok(found.length > 6 && found.slice(4).every((line) => line.startsWith('<2>')), 'every line');
  t.notOk(
    found.some((line) => /\d\d:\d\d:\d\d/.test(line)),
    'no time',
  );
});

t.test(
  'whoever asks for JSON gets JSON, and secrets stay out of the journal as well',
  async (t) => {
    const [json] = lines({ journal: true, format: 'json' }, (log) => log.info('hello'));
    t.match(JSON.parse(json ?? ''), { level: 'info', msg: 'hello', time: /Z$/ });
    const [masked] = lines({ journal: true, secrets: ['hunter22'] }, (log) => {
      log.info({ password: 'x1' }, 'with hunter22');
    });
    t.notMatch(masked, /hunter22|x1/);
  },
);

t.test('a stream is the journal only when it is the one that systemd has named', async (t) => {
  const file = join(t.testdir({ out: '' }), 'out');
  const descriptor = openSync(file, 'r');
  const { dev, ino } = fstatSync(descriptor);
  t.ok(goesToJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, descriptor));
  t.notOk(goesToJournal({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, descriptor));
  t.notOk(goesToJournal({}, descriptor));
  closeSync(descriptor);
  t.notOk(goesToJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, 999));
});

t.test('NO_COLOR and a dumb terminal take the colours away', async (t) => {
  const text = (env: NodeJS.ProcessEnv) =>
    lines({ format: 'pretty', env }, (log) => log.warn('hello')).join('');
  t.ok(text({ TERM: 'xterm' }).includes('\u001b['));
  t.ok(text({ TERM: 'xterm', NO_COLOR: '' }).includes('\u001b['), 'an empty value says nothing');
  for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: 'no' }, { TERM: 'dumb' }]) {
    t.notOk(text(env).includes('\u001b'), JSON.stringify(env));
  }
});

t.test('the daemon knows the journal by itself', async (t) => {
  const out = join(t.testdir({ out: '' }), 'out');
  const stderr = openSync(out, 'w');
  const { dev, ino } = fstatSync(stderr);
  const program = `
    import { createLog } from '#mobilenetd/daemon/diagnostics/log.js';
    import { goesToJournal } from '#mobilenetd/daemon/diagnostics/journal.js';
    createLog({ level: 'info', format: 'auto', destination: process.stderr,
      journal: goesToJournal(process.env, 2) }).warn('hello');`;
  spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` },
    stdio: ['ignore', 'ignore', stderr],
  });
  t.equal(readFileSync(out, 'utf8'), '<4>hello\n');
});
