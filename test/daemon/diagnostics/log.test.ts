import { PassThrough } from 'node:stream';
import t from 'tap';
import { createLog } from '#mobilenetd/daemon/diagnostics/log.js';
import { codedError } from '#mobilenetd/errors.js';
import { createRepeatingLog } from '#mobilenetd/log.js';

function capture(terminal = false) {
  const destination = Object.assign(new PassThrough(), { isTTY: terminal });
  return { destination, text: () => String(destination.read() ?? '') };
}

t.test('JSON lines where there is no terminal', async (t) => {
  const { destination, text } = capture();
  const log = createLog({ level: 'info', format: 'auto', destination });
  log.child({ component: 'mqtt' }).info({ broker: 'b' }, 'connected');
  log.debug('not shown');
  const lines = text().trimEnd().split('\n');
  t.equal(lines.length, 1);
  const entry = JSON.parse(lines[0] ?? '');
  t.match(entry, { level: 'info', component: 'mqtt', broker: 'b', msg: 'connected' });
  t.match(entry.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

t.test('people read lines, in colour on a terminal only', async (t) => {
  const plain = capture();
  const log = createLog({ level: 'info', format: 'pretty', destination: plain.destination });
  log.child({ component: 'camera' }).warn({ camera: 'front' }, 'stalled');
  const line = plain.text();
  t.match(line, /^\[\d\d:\d\d:\d\d\] WARN: camera: stalled \{"camera":"front"\}\n$/);
  t.notOk(line.includes('\u001b'));
  const terminal = capture(true);
  createLog({ level: 'info', format: 'auto', destination: terminal.destination }).info('hello');
  t.ok(terminal.text().includes('\u001b['));
  const json = capture(true);
  createLog({ level: 'info', format: 'json', destination: json.destination }).info('hello');
  t.equal(JSON.parse(json.text()).msg, 'hello');
});

t.test('secrets do not reach the destination', async (t) => {
  for (const format of ['json', 'pretty'] as const) {
    const { destination, text } = capture();
    const secrets = ['odd "pass" wörd', 'odd \\"pass\\" wörd'];
    const later = format === 'json' ? secrets : () => secrets;
    const log = createLog({ level: 'info', format, destination, secrets: later });
    log.info({ password: 'hunter2', mqtt: { password: 'hunter2' } }, 'fields');
    log.info({ options: { tls: { password: 'hunter2' } } }, 'deep');
    log.warn({ url: 'mqtt://me:hunter2@broker' }, 'cannot reach mqtt://me:hunter2@broker');
    log.error(new Error('refused rtsp://admin:hunter2@cam/1'));
    log.error(`broker said: bad password odd "pass" wörd`);
    const output = text();
    t.notMatch(output, /hunter2/);
    t.notOk(secrets.some((secret) => output.includes(secret)));
    t.match(output, /cannot reach mqtt:\/\/\*+@broker/);
    t.equal(output.match(/bad password/g)?.length, 1);
  }
});

t.test('a coded error is one short line; any other keeps its stack', async (t) => {
  const { destination, text } = capture();
  const log = createLog({ level: 'info', format: 'json', destination });
  const parts = { subject: 'state', expected: 'a folder', found: 'a file', next: 'choose another' };
  log.warn({ err: codedError('MND_STORE_OPEN', parts) }, 'refused');
  log.error({ err: new TypeError('unforeseen') }, 'crashed');
  const [coded, other] = text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).err);
  t.same(Object.keys(coded), ['code', 'message']);
  t.equal(coded.code, 'MND_STORE_OPEN');
  t.match(other.stack, /TypeError: unforeseen\n/);
});

t.test('a failure that repeats is logged once in the interval, with a count', async (t) => {
  const { destination, text } = capture();
  let now = 0;
  const log = createLog({ level: 'info', format: 'json', destination });
  const repeating = createRepeatingLog(log, { interval: 60_000, clock: { now: () => now } });
  const lines = () =>
    text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  for (; now < 60_000; now += 1000) repeating.warn('front', 'no frames', { camera: 'front' });
  repeating.error('back', 'no device');
  t.match(lines(), [
    { level: 'warn', msg: 'no frames', camera: 'front' },
    { level: 'error', msg: 'no device' },
  ]);

  repeating.warn('front', 'no frames');
  t.match(lines(), [{ msg: 'no frames (59× since the last line)', repeated: 59 }]);

  repeating.warn('front', 'no frames');
  repeating.recovered('front', 'frames again');
  repeating.recovered('front', 'frames again');
  repeating.warn('front', 'no frames');
  t.match(lines(), [
    { level: 'info', msg: 'frames again (1× not shown)', repeated: 1 },
    { msg: 'no frames' },
  ]);
});

t.test('the number of remembered failures is bounded', async (t) => {
  const { destination, text } = capture();
  const log = createLog({ level: 'info', format: 'json', destination });
  const options = { interval: 60_000, clock: { now: () => 0 }, capacity: 2 };
  const repeating = createRepeatingLog(log, options);
  for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) repeating.warn(key, key);
  const logged = text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg);
  t.same(logged, ['a', 'b', 'c', 'a']);
});
