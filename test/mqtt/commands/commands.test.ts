import { readFileSync } from 'node:fs';
import t from 'tap';
import { codedError } from '#mobilenetd/errors.js';
import { SILENT } from '#mobilenetd/log.js';
import { type CommandActions, listenForCommands } from '#mobilenetd/mqtt/commands/commands.js';
import {
  parseRequest,
  REQUEST_SCHEMAS,
  transactionIn,
  VERBS,
} from '#mobilenetd/mqtt/commands/requests.js';
import type { Connection, IncomingMessage } from '#mobilenetd/mqtt/connection/connection.js';
import { createRetainedState } from '#mobilenetd/mqtt/publish/retained.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { systemClock } from '#mobilenetd/time.js';

const ROOT = 'mobilenetd/porch';

function setup() {
  let time = 0;
  const done: unknown[][] = [];
  const answers: { verb: string; body: Record<string, unknown> }[] = [];
  const lines: string[] = [];
  let receive: (message: IncomingMessage) => void = () => {};
  let failing: Error | null = null;
  const record =
    (name: string) =>
    async (...values: unknown[]): Promise<void> => {
      if (failing !== null) throw failing;
      done.push([name, ...values]);
    };
  const actions: CommandActions = {
    setDetect: record('detect'),
    setThreshold: record('threshold'),
    setPin: record('pin'),
    setLimit: record('limit'),
    snapshot: record('snapshot'),
    reload: record('reload'),
    restart: record('restart'),
    health: async () => ({ fps: 5 }),
    wrong: async () => [],
    async teach(asked) {
      await record('teach')(asked);
      return { tasks: [] };
    },
  };
  const connection: Connection = {
    start() {},
    connected: () => true,
    fault: () => null,
    async publish(topic, payload) {
      if (!topic.startsWith(`${ROOT}/response/`)) return;
      const verb = topic.slice(`${ROOT}/response/`.length);
      answers.push({ verb, body: JSON.parse(payload.toString()) });
    },
    subscribe: async () => ({ async close() {} }),
    listen(filters, handler) {
      t.same(filters, [`${ROOT}/+/+/set`, `${ROOT}/request/+`]);
      receive = handler;
      return { async close() {} };
    },
    onConnect() {},
    onDisconnect() {},
    onRelease() {},
    broker: () => 'mqtt://x',
    held: () => [],
    limits: () => [],
    async close() {},
  };
  const retained = createRetainedState({ connection, clock: systemClock, log: SILENT });
  const commands = listenForCommands({
    connection,
    topics: createTopics({ base: 'mobilenetd', node: 'porch' }),
    retained,
    actions,
    cameras: () => ['front', 'back yard'],
    variants: () => ['v1_224', 'v1_128'],
    limit: { min: 40, max: 85 },
    clock: { ...systemClock, now: () => time },
    log: { ...SILENT, warn: (_fields, message) => void lines.push(message) },
  });
  const send = async (topic: string, payload: string | Buffer, retain = false): Promise<void> => {
    receive({ topic: `${ROOT}/${topic}`, payload: Buffer.from(payload), retain });
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    commands,
    retained,
    done,
    answers,
    lines,
    send,
    pass: (ms: number) => {
      time += ms;
    },
    fail: (error: Error) => {
      failing = error;
    },
  };
}

t.test('valid commands are carried out', async (t) => {
  const { done, answers, send } = setup();
  await send('front/detect/set', 'OFF');
  await send('back_yard/detect/set', 'ON');
  await send('front/threshold/set', '0.55');
  await send('governor/pin/set', 'v1_128');
  await send('governor/pin/set', 'auto');
  await send('governor/limit/set', '62.5');
  await send('governor/limit/set', 'auto');
  await send('request/snapshot', '{"transaction":"1","camera":"back yard"}');
  await send('request/snapshot', '{"transaction":"2"}');
  await send('request/reload', '{"transaction":"3"}');
  await send('request/restart', '{"transaction":"4"}');
  await send('request/health', '{"transaction":"5"}');
  t.same(done, [
    ['detect', 'front', false],
    ['detect', 'back yard', true],
    ['threshold', 'front', 0.55],
    ['pin', 'v1_128'],
    ['pin', 'auto'],
    ['limit', 62.5],
    ['limit', 'auto'],
    ['snapshot', 'back yard'],
    ['snapshot', null],
    ['reload'],
    ['restart'],
  ]);
  t.same(
    answers.map(({ verb, body }) => [verb, body]),
    [
      ['snapshot', { transaction: '1', ok: true }],
      ['snapshot', { transaction: '2', ok: true }],
      ['reload', { transaction: '3', ok: true }],
      ['restart', { transaction: '4', ok: true }],
      ['health', { transaction: '5', ok: true, health: { fps: 5 } }],
    ],
  );
});

t.test('invalid commands change nothing, requests are answered with a code', async (t) => {
  const { done, answers, lines, send, pass } = setup();
  const silent: [string, string | Buffer][] = [
    ['front/detect/set', 'on'],
    ['front/detect/set', ''],
    ['front/detect/set', 'ON '],
    ['front/threshold/set', '1.5'],
    ['front/threshold/set', '-1'],
    ['front/threshold/set', '1e-3'],
    ['front/threshold/set', 'NaN'],
    ['front/threshold/set', '0x1'],
    ['front/nothing/set', 'ON'],
    ['nowhere/detect/set', 'ON'],
    ['__proto__/detect/set', 'ON'],
    ['governor/pin/set', 'v9'],
    ['governor/pin/set', 'constructor'],
    ['governor/limit/set', '90'],
    ['governor/limit/set', '39.9'],
    ['governor/other/set', 'x'],
    ['front/detect/set', Buffer.from([0xff, 0xfe])],
    ['front/detect/set', 'ON'.padEnd(9000)],
    ['request/health', '{}'],
    ['request/unknown', '{"transaction":"x"}'],
  ];
  for (const [topic, payload] of silent) {
    await send(topic, payload);
    pass(1000);
  }
  t.same(answers, []);
  const answered: [string, string][] = [
    ['health', '{"transaction":"a","more":1}'],
    ['health', '{"transaction":"b"'],
    ['health', '["transaction", {"transaction":"c"}]'],
    ['snapshot', '{"transaction":"d","camera":"nowhere"}'],
    ['snapshot', '{"transaction":"e","camera":1}'],
    ['health', `{"transaction":"f","pad":"${'x'.repeat(9000)}"}`],
  ];
  for (const [verb, payload] of answered) {
    await send(`request/${verb}`, payload);
    pass(1000);
  }
  t.same(
    answers.map(({ body }) => [body.transaction, body.ok, body.code]),
    ['a', 'b', 'c', 'd', 'e', 'f'].map((transaction) => [transaction, false, 'MND_MQTT_PAYLOAD']),
  );
  t.same(done, []);
  t.equal(lines.length, 1, 'one line a minute');
});

t.test('a retained command is an old one', async (t) => {
  const { done, answers, send } = setup();
  await send('request/restart', '{"transaction":"1"}', true);
  await send('front/detect/set', 'OFF', true);
  t.same(done, []);
  t.same(answers, []);
});

t.test('too many commands are refused with a code, and the rate recovers', async (t) => {
  const { done, answers, send, pass } = setup();
  for (let i = 0; i < 30; i++) await send('request/reload', `{"transaction":"${i}"}`);
  t.equal(done.length, 20);
  t.equal(answers.length, 30);
  t.match(answers.at(-1)?.body, { ok: false, code: 'MND_MQTT_RATE', transaction: '29' });
  pass(1000);
  for (let i = 0; i < 30; i++) await send('request/reload', `{"transaction":"${i}"}`);
  t.equal(done.length, 25);
});

t.test('an action that fails is answered with its code, a defect without its text', async (t) => {
  const { answers, send, fail } = setup();
  fail(codedError('MND_CAMERA_FAILED', { subject: 'front' }));
  await send('request/snapshot', '{"transaction":"1"}');
  fail(new Error('secret internals'));
  await send('request/snapshot', '{"transaction":"2"}');
  t.match(answers[0]?.body, { ok: false, code: 'MND_CAMERA_FAILED', message: /front/ });
  t.match(answers[1]?.body, { ok: false, code: 'MND_INTERNAL' });
  t.notMatch(JSON.stringify(answers), /secret/);
});

t.test('what is set is shown on the state topics', async (t) => {
  const { commands, retained } = setup();
  commands.show({
    detect: { front: false },
    threshold: { front: 0.123456 },
    pin: 'auto',
    limit: 62,
  });
  t.same(retained.topics().sort(), [
    `${ROOT}/front/detect/state`,
    `${ROOT}/front/threshold/state`,
    `${ROOT}/governor/limit/state`,
    `${ROOT}/governor/pin/state`,
  ]);
  await commands.close();
});

t.test('transactions are found in what is no request', async (t) => {
  const cases: [string, string | null][] = [
    ['{"transaction":"a"}', 'a'],
    ['{"x":1, "transaction" : "a b"', 'a b'],
    ['{"transaction":"\\u0041\\""}', 'A"'],
    ['{"transaction":""}', null],
    ['{"transaction":1}', null],
    ['{"transaction":"\\x"}', null],
    [`{"transaction":"${'x'.repeat(129)}"}`, null],
    ['transaction', null],
    ['', null],
  ];
  for (const [text, expected] of cases) t.equal(transactionIn(text), expected, text.slice(0, 40));
});

t.test('the schemas of the documentation are those in force', async (t) => {
  for (const verb of VERBS) {
    const { $schema, $id, title, description, ...rest } = JSON.parse(
      readFileSync(`docs/schema/request-${verb}.json`, 'utf8'),
    );
    t.ok($schema && $id && title && description);
    t.same(rest, REQUEST_SCHEMAS[verb], verb);
  }
  t.ok('fault' in parseRequest('health', null));
});

t.test('10 000 random payloads: nothing changes but by valid ones, all are answered', async (t) => {
  const { done, answers, send, pass } = setup();
  const random = createRandom(20260601).next;
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const topics = [
    'front/detect/set',
    'front/threshold/set',
    'governor/pin/set',
    'governor/limit/set',
    'x/y/set',
    '/ /set',
    'request/snapshot',
    'request/reload',
    'request/restart',
    'request/health',
    'request/__proto__',
    'request/',
  ];
  const pieces = [
    '{"transaction":"t"}',
    '"transaction":"t"',
    'ON',
    'OFF',
    'auto',
    '0.5',
    '61',
    'v1_224',
    '{',
    '}',
    '[',
    '"',
    '\\u0000',
    '\u0000',
    'camera',
    ':',
    ',',
    'null',
    '__proto__',
    'constructor',
    '🦊',
    '\ud800',
    '%s',
    '1e999',
    ' ',
    'x'.repeat(3000),
  ];
  let valid = 0;
  let expectedAnswers = 0;
  for (let i = 0; i < 10_000; i++) {
    const topic = pick(topics);
    let text = '';
    for (let n = Math.floor(random() * 5); n >= 0; n--) text += pick(pieces);
    const payload = Buffer.from(text);
    if (random() < 0.3 && payload.length > 0) {
      payload[Math.floor(random() * payload.length)] = Math.floor(random() * 256);
    }
    const clean = payload.toString();
    const isText = Buffer.from(clean).equals(payload);
    const fits =
      (topic === 'front/detect/set' && ['ON', 'OFF', 'auto'].includes(clean)) ||
      (topic === 'front/threshold/set' && /^(0(\.\d+)?|1|auto)$/.test(clean)) ||
      (topic === 'governor/pin/set' && ['auto', 'v1_224'].includes(clean)) ||
      (topic === 'governor/limit/set' && ['auto', '61'].includes(clean)) ||
      (/^request\/(snapshot|reload|restart)$/.test(topic) &&
        /^ *\{ *"transaction":"[^"\\]{1,128}"} *$/.test(clean));
    const isOrder = isText && fits;
    const verb = /^request\/(snapshot|reload|restart|health)$/.test(topic);
    if (verb && transactionIn(payload.subarray(0, 8192).toString()) !== null) expectedAnswers++;
    if (isOrder) valid++;
    const before = done.length;
    await send(topic, payload);
    pass(1000);
    if (done.length > before !== isOrder) t.fail(`${topic} ${JSON.stringify(clean.slice(0, 200))}`);
  }
  t.equal(done.length, valid);
  t.ok(valid > 30, `${valid} of them were valid`);
  t.equal(answers.length, expectedAnswers);
  t.ok(expectedAnswers > 500, `${expectedAnswers} were answered`);
  t.ok(answers.every(({ body }) => body.ok === true || typeof body.code === 'string'));
});
