import t, { type Test } from 'tap';
import { eventually } from '../brokers.js';
import { type PickyBroker, type PickyRules, startPickyBroker } from '../picky-broker.js';
import { EVENTS, event, ROOT, SPEED, startBoard } from '../refused-board.js';

async function picky(t: Test, rules: PickyRules): Promise<PickyBroker> {
  const broker = await startPickyBroker(rules);
  t.teardown(() => broker.close());
  return broker;
}

const said = (lines: readonly string[], topic: string, why: RegExp) =>
  lines.some((line) => line.includes(topic) && why.test(line));
const online = (broker: PickyBroker) => () => broker.last(`${ROOT}/state`) === 'online';

for (const version of [4, 5] as const) {
  for (const { what, denied, bytes } of [
    { what: 'events', denied: [EVENTS] },
    { what: 'attributes of every label', denied: ['/attributes'] },
    { what: 'a retained state', denied: ['/front/status'] },
    { what: 'several that have nothing in common', denied: [EVENTS, '/info', '/front/cat'] },
    { what: 'pictures, large ones too', denied: ['/front/snapshot'], bytes: 40_000 },
  ]) {
    t.test(`a broker that closes the connection over ${what}, MQTT ${version}`, async (t) => {
      const broker = await picky(t, {
        version,
        publish: (topic) => (denied.some((end) => topic.endsWith(end)) ? { close: 0x87 } : null),
      });
      const board = startBoard(t, broker.url);
      board.publisher.setInfo({ version: '1' });
      board.publisher.setSnapshot('front', Buffer.alloc(bytes ?? 100));
      board.show(event());
      board.publisher.start();
      await eventually('online', online(broker));
      for (const end of denied) {
        t.ok(
          board.lines.some((line) => line.includes(end) && /held back|closes the/.test(line)),
          `${end} is named: ${board.lines.join('\n')}`,
        );
      }
      t.notMatch(board.lines.join('\n'), /same client id|user name|password/, 'no wrong advice');
      t.equal(broker.last(`${ROOT}/front/person`), 'ON', 'the rest goes on');
      const atRest = broker.connects;
      board.show(event({ type: 'end', end: 1e12 + 1 }));
      await eventually('OFF', () => broker.last(`${ROOT}/front/person`) === 'OFF');
      t.equal(broker.connects, atRest, 'and on the same connection');
      if (denied.includes(EVENTS)) {
        t.equal(board.outbox.depth(), 2, 'events are kept');
        const [held] = board.publisher.delivery().held.filter(({ topic }) => topic === EVENTS);
        t.match(held, { reason: /closes the connection/, events: 2 });
      }
      if (bytes === undefined) return;
      board.publisher.setSnapshot('front', Buffer.alloc(bytes - 10_000));
      await eventually('it is the topic', () =>
        board.publisher.delivery().held.some(({ topic }) => topic.endsWith('/snapshot')),
      );
      board.publisher.setInfo({ version: 'x'.repeat(bytes) });
      await eventually('no false limit is left', () =>
        (broker.last(`${ROOT}/info`) ?? '').includes('xxxx'),
      );
    });
  }

  t.test(`a broker that is mended gets what was held back, MQTT ${version}`, async (t) => {
    const broker = await picky(t, {
      version,
      publish: (topic) => (topic === EVENTS ? { close: 0x87 } : null),
    });
    const board = startBoard(t, broker.url, version, SPEED, 1000);
    board.show(event(), event({ id: 'e2', label: 'cat' }));
    board.publisher.start();
    await eventually('held', () => board.publisher.delivery().held.length > 0);
    broker.rules = { version };
    await eventually('delivered', () => board.outbox.depth() === 0);
    const ids = broker.taken.filter(({ topic }) => topic === EVENTS).map(({ text }) => text);
    t.same(
      ids.map((text) => JSON.parse(text).id),
      ['e1', 'e2'],
      'in order',
    );
    t.same(board.publisher.delivery().held, []);
    t.match(board.lines.join('\n'), /takes mobilenetd\/porch\/front\/events again/);
  });

  t.test(`a subscription over which the broker hangs up, MQTT ${version}`, async (t) => {
    const broker = await picky(t, {
      version,
      subscribe: (filter) => (filter.endsWith('/set') ? { close: 0x87 } : null),
    });
    const board = startBoard(t, broker.url);
    board.connection.listen(board.topics.commandFilters, () => {});
    board.publisher.start();
    await eventually('online', online(broker));
    t.match(board.lines.join('\n'), /a subscription to .*\/set.* is held back/);
    t.same(board.connection.limits(), [], 'which is not for its QoS');
  });

  t.test(`subscriptions with QoS 1 over which the broker hangs up, MQTT ${version}`, async (t) => {
    const broker = await picky(t, {
      version,
      subscribe: (_filter, qos) => (qos === 1 ? { close: 0x83 } : null),
    });
    const board = startBoard(t, broker.url);
    board.connection.listen(board.topics.commandFilters, () => {});
    board.connection.listen(['homeassistant/status'], () => {});
    board.publisher.start();
    await eventually('online', online(broker));
    await eventually('all of them', () => broker.filters.includes('homeassistant/status'));
    t.ok(board.topics.commandFilters.every((filter) => broker.filters.includes(filter)));
    t.same(board.connection.held(), [], 'nothing is held back');
    t.match(board.connection.limits(), [/subscriptions with QoS 1/]);
  });
}

t.test('events outlive refusals that may end, and no others', async (t) => {
  for (const [code, kept] of [
    [0x80, true],
    [0x83, true],
    [0x87, true],
    [0x97, true],
    // Codes that MQTT does not foresee there: the parser of MQTT.js stops at them.
    [0x96, true],
    [0x8b, true],
    [0x90, false],
    [0x99, false],
    [0x95, false],
  ] as const) {
    const broker = await picky(t, {
      version: 5,
      publish: (topic) => (topic === EVENTS ? { code } : null),
    });
    const board = startBoard(t, broker.url, 5, 200);
    board.show(event(), event({ id: 'e2' }));
    board.publisher.start();
    await eventually(`online after ${code}`, online(broker));
    if (!kept) {
      await eventually('dropped', () => board.outbox.depth() === 0);
      t.equal(board.publisher.delivery().refused_events, 2, `${code} is for good`);
      continue;
    }
    await eventually('held', () => board.publisher.delivery().held.length === 1);
    t.match(board.publisher.delivery().held, [{ topic: EVENTS, events: Number }], `${code}`);
    t.equal(board.outbox.depth(), 2, `${code} keeps them`);
    t.equal(board.lines.filter((line) => /held back/.test(line)).length, 1, 'said once');
    broker.rules = { version: 5 };
    await eventually('delivered', () => board.outbox.depth() === 0);
    const taken = broker.taken.filter(({ topic }) => topic === EVENTS);
    t.same(
      taken.map(({ text }) => JSON.parse(text).id),
      ['e1', 'e2'],
    );
    t.equal(board.publisher.delivery().refused_events, 0);
  }
});

// As Mosquitto does with max_queued_messages 0.
for (const { what, denied } of [
  { what: 'events', denied: [EVENTS] },
  { what: 'a retained state', denied: ['/front/status'] },
  { what: 'several topics', denied: [EVENTS, '/info', '/front/cat', '/front/label'] },
]) {
  t.test(`a broker that refuses ${what} in words, and closes then`, async (t) => {
    const broker = await picky(t, {
      version: 5,
      publish: (topic) =>
        denied.some((end) => topic.endsWith(end)) ? { code: 0x87, closes: true } : null,
    });
    const board = startBoard(t, broker.url, 5, SPEED, 1000);
    board.publisher.setInfo({ version: '1' });
    board.show(event(), event({ id: 'e2', label: 'cat' }));
    board.publisher.start();
    await eventually('online', online(broker));
    await eventually('the rest goes on', () => broker.last(`${ROOT}/front/person`) === 'ON');
    const why = /held back: not authorized.*; then the broker closes the connection/;
    await eventually('said', () => denied.every((end) => said(board.lines, end, why)));
    t.ok(broker.connects <= 4 + 2 * denied.length, `${broker.connects} connections`);
    t.notMatch(board.lines.join('\n'), /same client id|password/, 'no wrong advice');
    broker.rules = { version: 5 };
    await eventually('delivered', () => board.outbox.depth() === 0);
    await eventually('nothing is held', () => board.publisher.delivery().held.length === 0);
    for (const end of denied)
      t.ok(
        broker.taken.some(({ topic }) => topic.endsWith(end)),
        end,
      );
  });
}

for (const [version, code] of [
  [4, 0x80],
  [5, 0x87],
  [5, 0x97],
] as const) {
  const what = `a subscription that is refused is asked for again, MQTT ${version}, ${code}`;
  t.test(what, async (t) => {
    const broker = await picky(t, {
      version,
      subscribe: (filter) => (/\/set$|\/request\//.test(filter) ? { code } : null),
    });
    const board = startBoard(t, broker.url, version);
    const { connection, publisher, topics } = board;
    connection.listen(['homeassistant/status'], () => {});
    const commands = connection.listen(topics.commandFilters, () => {});
    publisher.start();
    await eventually('online', online(broker));
    await eventually('held', () => publisher.delivery().held.length > 0);
    t.match(publisher.delivery().held, [{ topic: /^a subscription to .*request/, events: 0 }]);
    await eventually('asked twice', () => broker.asked >= 6);
    t.equal(board.lines.filter((line) => /subscription/.test(line)).length, 1, 'said once');
    broker.rules = { version };
    await eventually('granted', () =>
      topics.commandFilters.every((at) => broker.filters.includes(at)),
    );
    await eventually('nothing is held', () => publisher.delivery().held.length === 0);
    t.match(board.lines.join('\n'), /takes a subscription/);
    t.equal(broker.connects, 1, 'over one connection');
    broker.rules = { version, subscribe: () => ({ code }) };
    broker.drop();
    await eventually('held again', () => publisher.delivery().held.length === 2);
    await commands.close();
    t.equal(publisher.delivery().held.length, 1, 'what nobody wants is not held');
  });
}

t.test('a broker that refuses a subscription in words, and closes then', async (t) => {
  const broker = await picky(t, {
    version: 5,
    subscribe: (filter) => (filter.endsWith('/set') ? { code: 0x87, closes: true } : null),
  });
  const board = startBoard(t, broker.url, 5, SPEED, 1000);
  board.connection.listen(board.topics.commandFilters, () => {});
  board.publisher.start();
  await eventually('online', online(broker));
  t.notMatch(board.lines.join('\n'), /same client id|password/, 'no wrong advice');
});

t.test('other cameras go on while the events of one are held', async (t) => {
  const broker = await picky(t, {
    version: 5,
    publish: (topic) => (topic === EVENTS ? { code: 0x97 } : null),
  });
  const board = startBoard(t, broker.url, 5);
  board.publisher.setCameras([
    { name: 'front', labels: [] },
    { name: 'back', labels: [] },
  ]);
  board.publisher.start();
  for (let i = 0; i < 200; i++) {
    board.show(event({ id: `f${i}` }), event({ id: `b${i}`, camera: 'back' }));
  }
  await eventually('those of the other', () => board.outbox.depth() === 200);
  const back = broker.taken.filter(({ topic }) => topic === `${ROOT}/back/events`);
  t.same(
    back.map(({ text }) => JSON.parse(text).id),
    Array.from({ length: 200 }, (_, i) => `b${i}`),
  );
  await eventually('all are known', () => board.publisher.delivery().held[0]?.events === 200);
});

t.test('answers that cannot be read end the link at once', async (t) => {
  for (const [what, bytes] of [
    ['a code', (id: number) => Buffer.from([0x40, 3, id >> 8, id & 255, 0x95])],
    ['no packet at all', () => Buffer.alloc(8, 0xff)],
    ['a DISCONNECT with a code of its own', () => Buffer.from([0xe0, 2, 0x7f, 0])],
  ] as const) {
    let answers = 0;
    const broker = await picky(t, {
      version: 5,
      publish: (topic) => (topic.endsWith('/info') && answers++ < 1 ? { bytes } : null),
    });
    const board = startBoard(t, broker.url, 5);
    board.publisher.setInfo({ version: '1' });
    const begun = Date.now();
    board.publisher.start();
    await eventually(what, online(broker));
    t.ok(broker.connects === 2, `${what}: a new link took its place`);
    t.comment(`${what}: ${Date.now() - begun} ms; ${board.lines[1]}`);
  }
});

t.test('a broker without wildcards and with a receive maximum of one', async (t) => {
  const broker = await picky(t, {
    version: 5,
    properties: {
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
      receiveMaximum: 1,
      topicAliasMaximum: 1,
    },
    subscribe: (filter) => (/[+#]/.test(filter) ? { code: 0xa2 } : null),
  });
  broker.delayMs = 2;
  const board = startBoard(t, broker.url, 5);
  board.connection.listen(
    board.topics.commandFilters,
    () => {},
    () => [board.topics.pinSet],
  );
  board.publisher.start();
  await eventually('online', online(broker));
  for (let i = 0; i < 20; i++) board.show(event({ id: `e${i}` }));
  await eventually('delivered', () => board.outbox.depth() === 0);
  t.equal(broker.mostUnderway, 1);
  t.same(broker.filters, [board.topics.pinSet]);
  t.match(board.publisher.delivery().limits.join(), /no subscriptions with wildcards/);
});
