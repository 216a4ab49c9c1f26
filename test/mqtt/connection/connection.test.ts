import { once } from 'node:events';
import { createServer, connect as dial } from 'node:net';
import t from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { describeFailure, LossLog } from '#mobilenetd/mqtt/connection/loss-log.js';
import { createPacketLimit } from '#mobilenetd/mqtt/connection/packet-limit.js';
import { createProtocolChoice } from '#mobilenetd/mqtt/connection/protocol-choice.js';
import { createWindow } from '#mobilenetd/mqtt/connection/window.js';
import { aedes, eventually, fastClock, KINDS, listenTo, mosquitto } from '../brokers.js';

function createLog() {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  return { lines, debug: write, info: write, warn: write, error: write };
}

t.test('the packet limit sees packets through any cut of the stream', async (t) => {
  const packet = (bytes: number) => {
    const length: number[] = [];
    let left = bytes;
    do {
      length.push((left % 128) | (left >= 128 ? 128 : 0));
      left = Math.floor(left / 128);
    } while (left > 0);
    return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(bytes, 0xff)]);
  };
  const fine = Buffer.concat([packet(0), packet(127), packet(128), packet(1000), packet(2)]);
  for (const cut of [1, 2, 3, 7, 100, 10_000]) {
    for (const [extra, expected] of [
      [packet(1000), true],
      [packet(1001), false],
    ] as const) {
      const limit = createPacketLimit(1000);
      const bytes = Buffer.concat([fine, extra]);
      let ok = true;
      for (let at = 0; at < bytes.length; at += cut) ok = limit(bytes.subarray(at, at + cut));
      t.equal(ok, expected, `cut every ${cut}`);
    }
  }
  const endless = createPacketLimit(1000);
  t.equal(endless(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])), false, 'a length of 5 bytes');
});

t.test('the window keeps order and is bounded', async (t) => {
  const window = createWindow(2);
  const sent: number[] = [];
  for (let i = 0; i < 5; i++) t.ok(window.enter(() => sent.push(i)));
  t.same(sent, [0, 1]);
  window.leave();
  window.leave();
  t.same(sent, [0, 1, 2, 3]);
  let refused = 0;
  for (let i = 0; i < 1000; i++) if (!window.enter(() => {})) refused++;
  t.equal(refused, 1000 - 511);
  window.reset(1);
  t.ok(window.enter(() => sent.push(9)));
  t.equal(sent.at(-1), 9);
});

const LOSS = { broker: 'mqtt://x', wasUp: false, lasted: 0, suspected: false };

t.test('failures are said in words, rarely', async (t) => {
  const code = (value: unknown) => Object.assign(new Error('raw'), { code: value });
  t.match(describeFailure(code(5)), /user name or password/);
  t.match(describeFailure(code(134)), /user name or password/);
  t.match(describeFailure(code('ECONNREFUSED')), /nothing listens/);
  t.match(describeFailure(code('ENOTFOUND')), /host name/);
  t.match(describeFailure(new AggregateError([code('ECONNREFUSED')])), /nothing listens/);
  t.match(describeFailure(code(142)), /same client id/);
  t.equal(describeFailure(code(199)), "the broker's reason code 199");
  t.equal(describeFailure(null), 'the connection was closed');

  const said = (reason: unknown, named = true) => {
    const log = createLog();
    const losses = new LossLog(log, () => 0, named);
    losses.lost({ ...LOSS, broker: 'mqtts://x:1', reason });
    return log.lines[0];
  };
  t.match(said(code(5)), /check mqtt.username/);
  t.match(said(code(5), false), /set mqtt.username and a password/);
  t.match(said(code('SELF_SIGNED_CERT_IN_CHAIN')), /not trusted; set mqtt.tls.ca_file/);
  t.match(said(code('CERT_NOT_YET_VALID')), /board's clock/);
  const notTls = Object.assign(new Error('ssl3_get_record:wrong version number'), {
    code: 'EPROTO',
  });
  t.match(said(notTls), /not TLS answers.*see whether mqtts is what/);
  t.match(said(null), /closed; see whether mqtts is what this port speaks/);
  t.notMatch(said(code('ECONNREFUSED')), /see whether/);
  t.match(said(code('constructor')), /found raw/);

  let time = 0;
  const log = createLog();
  const losses = new LossLog(log, () => time, true);
  const lost = (reason: unknown, lasted = 0) =>
    losses.lost({ ...LOSS, reason, wasUp: lasted > 0, lasted });
  for (; time < 3600_000; time += 5000) lost(code('ECONNREFUSED'));
  t.equal(log.lines.length, 1, 'the same for an hour is one line');
  lost(code(5));
  t.equal(log.lines.length, 2, 'another reason is another line');
  losses.connected('mqtt://x');
  t.equal(log.lines.at(-1), 'connected to the MQTT broker');
  for (let i = 0; i < 100; i++) {
    time += 20_000;
    lost(null, 10_000);
    losses.connected('mqtt://x');
  }
  const minutes = (100 * 20_000) / 60_000;
  t.ok(log.lines.length <= 3 + 2 * minutes + 1, `${log.lines.length} lines of a flapping link`);
});

t.test('without a connection nothing is queued', async (t) => {
  const connection = createConnection({ url: 'mqtt://127.0.0.1:9', clientId: 'x' });
  await t.rejects(connection.publish('a', 'b', { qos: 1, retain: false }), {
    code: 'MND_MQTT_UNAVAILABLE',
  });
  await connection.close();
});

t.test('an address that is none is a configuration error', async (t) => {
  t.throws(() => createConnection({ url: 'nonsense', clientId: 'x' }), {
    code: 'MND_CONFIG_INVALID',
  });
});

t.test('credentials in the address are used and never shown', async (t) => {
  const password = 'p@ss/w%rd:ü';
  const broker = await aedes.make({ user: { name: 'me', password } });
  await broker.start();
  const log = createLog();
  const url = `mqtt://me:${encodeURIComponent(password)}@127.0.0.1:${broker.port}`;
  const connection = createConnection({ url, clientId: 'x', log });
  connection.start();
  await eventually('connected', () => connection.connected());
  await connection.close();
  await broker.stop();
  t.equal(log.lines.length, 1);
  t.notMatch(log.lines.join(), /p@ss|p%40ss/);
});

t.test('key material that cannot be read does not end the trying', async (t) => {
  const log = createLog();
  const connection = createConnection({
    url: 'mqtts://127.0.0.1:9',
    clientId: 'x',
    tls: { ca: 'no PEM', cert: 'no PEM', key: 'no PEM' },
    log,
  });
  connection.start();
  await eventually('a report', () => log.lines.length === 1);
  t.match(log.lines[0], /cannot be reached.*tried again/);
  await connection.close();
});

t.test('MQTT 5 is tried first, 3.1.1 where it is not known, and nobody is told', async (t) => {
  const broker = await aedes.make();
  await broker.start();
  t.teardown(() => broker.stop());
  const levels: number[] = [];
  let rude = false;
  // The level of the protocol stands at byte 8 of a short CONNECT (MQTT 3.1.1, 3.1.2.2).
  const proxy = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (connect: Buffer) => {
      levels.push(connect[8] ?? 0);
      if (rude && connect[8] === 5) return socket.destroy();
      const inside = dial(broker.port, '127.0.0.1', () => inside.write(connect));
      inside.on('error', () => {});
      socket.pipe(inside).pipe(socket);
      return undefined;
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const address = proxy.address();
  const url = `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const ask = async (protocol: 'auto' | 4 | 5) => {
    levels.length = 0;
    const log = createLog();
    const options = { url, clientId: 'x', log, protocol, random: () => 0 };
    const connection = createConnection(options);
    connection.start();
    await eventually('a word', () => log.lines.length > 0);
    const connected = connection.connected();
    await connection.close();
    return { connected, levels: [...levels], line: log.lines[0] };
  };
  t.match(await ask('auto'), { connected: true, levels: [5, 4], line: /connected/ });
  t.match(await ask(4), { connected: true, levels: [4] });
  t.match(await ask(5), { connected: false, levels: [5], line: /does not speak this version/ });
  rude = true;
  levels.length = 0;
  const connection = createConnection({ url, clientId: 'x', random: () => 0 });
  connection.start();
  await eventually('connected', () => connection.connected());
  t.same(levels, [5, 4], 'one that hangs up without a word');
  await connection.close();
});

t.test(
  'a version that has worked stays; a loss of another kind is no reason to change',
  async (t) => {
    const choice = createProtocolChoice('auto');
    const error = (code?: unknown) =>
      Object.assign(new Error('x'), code === undefined ? {} : { code });
    t.equal(choice.failed(error('ECONNREFUSED')), false);
    t.equal(choice.failed(error(135)), false);
    t.equal(choice.current(), 5, 'nothing listens, a wrong password');
    t.equal(choice.failed(null), false);
    t.equal(choice.current(), 4);
    t.equal(choice.failed(error('ECONNRESET')), false);
    t.equal(choice.current(), 5, 'in turn');
    choice.connected();
    choice.failed(null);
    t.equal(choice.current(), 5);
    t.equal(choice.failed(error(132)), true, 'the broker was replaced by an older one');
    t.equal(choice.current(), 4);
    choice.connected();
    t.equal(choice.failed(error(1)), false);
    t.equal(choice.current(), 5);
  },
);

t.test('a peer that is no broker is survived', async (t) => {
  const answers = [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), Buffer.alloc(100, 0xff)];
  let served = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(answers[served++ % answers.length] ?? '');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const log = createLog();
  const connection = createConnection({
    url: `mqtt://127.0.0.1:${port}`,
    clientId: 'x',
    log,
    random: () => 0,
    clock: fastClock(100),
  });
  connection.start();
  await eventually('several attempts', () => served >= 5);
  t.equal(connection.connected(), false);
  await connection.close();
  server.close();
});

for (const kind of KINDS) {
  const skip = kind.available ? false : 'not installed';
  t.test(`subscriptions outlive a restart of ${kind.name}`, { skip }, async (t) => {
    const broker = await kind.make();
    await broker.start();
    const { url, client } = broker;
    const connection = createConnection({ url, ...client, clientId: 'x', random: () => 0 });
    const heard: string[] = [];
    await connection.subscribe(['cmd/+'], (message) => {
      heard.push(`${message.topic} ${message.payload} ${message.retain}`);
      if (message.payload.toString() === 'throw') throw new Error('a handler that fails');
    });
    connection.start();
    await eventually('connected', () => connection.connected());
    const second = await connection.subscribe(['cmd/two', 'other'], () => heard.push('second'));
    const house = await listenTo(broker, 'none');
    await house.client.publishAsync('cmd/one', 'throw', { qos: 1 });
    await house.client.publishAsync('cmd/two', 'b', { qos: 1, retain: true });
    await eventually('both', () => heard.length >= 3);
    // One copy each, though both filters match (MQTT 5 brokers send two).
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.same(heard.sort(), ['cmd/one throw false', 'cmd/two b false', 'second']);
    await second.close();
    await house.close();
    await broker.stop();
    await eventually('loss', () => !connection.connected());
    await broker.start();
    await eventually('back', () => connection.connected());
    const again = await listenTo(broker, 'none');
    await again.client.publishAsync('cmd/two', 'c', { qos: 1 });
    await eventually('heard', () => heard.at(-1) === 'cmd/two c false');
    t.notOk(heard.slice(3).includes('second'), 'a closed subscription stays closed');
    await again.close();
    await connection.close();
    await broker.stop();
  });
}

t.test('an enormous message is not collected', async (t) => {
  const broker = await aedes.make({ maxPacket: 8 * 1024 * 1024 });
  await broker.start();
  const log = createLog();
  const connection = createConnection({ url: broker.url, clientId: 'x', log });
  let heard = 0;
  await connection.subscribe(['cmd'], () => heard++);
  connection.start();
  await eventually('connected', () => connection.connected());
  const house = await listenTo(broker.url, 'none');
  await house.client.publishAsync('cmd', Buffer.alloc(4 * 1024 * 1024), { qos: 0 });
  await eventually('report', () => log.lines.some((line) => /more than 1048576 bytes/.test(line)));
  t.equal(heard, 0);
  await house.close();
  await connection.close();
  await broker.stop();
});

const frozen = { skip: mosquitto.available ? false : 'Mosquitto is not installed' };
t.test(
  'a broker that is frozen is noticed by keepalive, and no message is lost',
  frozen,
  async (t) => {
    const broker = await mosquitto.make();
    await broker.start();
    const connection = createConnection({
      url: broker.url,
      clientId: 'x',
      keepalive: 1,
      random: () => 0,
    });
    connection.start();
    await eventually('connected', () => connection.connected());
    broker.signal('SIGSTOP');
    await t.rejects(connection.publish('a', 'b', { qos: 1, retain: false }), {
      code: 'MND_MQTT_UNAVAILABLE',
      message: /Keepalive timeout/,
    });
    t.equal(connection.connected(), false);
    broker.signal('SIGCONT');
    await eventually('back', () => connection.connected());
    await connection.publish('a', 'b', { qos: 1, retain: false });
    await connection.close();
    await broker.stop();
  },
);
