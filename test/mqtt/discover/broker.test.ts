import makeMdns from 'multicast-dns';
import t from 'tap';
import { probeBroker } from '#mobilenetd/mqtt/connection/probe.js';
import { findBroker } from '#mobilenetd/mqtt/discover/broker.js';
import { type Announced, askNetwork } from '#mobilenetd/mqtt/discover/mdns.js';
import { freePort } from '../../free-port.js';
import { mosquitto } from '../brokers.js';

const never = new AbortController().signal;
const LOGIN = { clientId: 'looking', subscribe: 'mobilenetd/board/request/+', probe: probeBroker };
const NOBODY = { username: null, password: null };

/** A network in which these are announced, and Home Assistant is at the address. */
function network(services: readonly Announced[], address: string | null = null) {
  return async () => ({ services, address });
}

const skip = mosquitto.available ? false : 'mosquitto is not installed';

t.test('the first announced broker that lets us in is taken', { skip }, async (t) => {
  const open = await mosquitto.make();
  const locked = await mosquitto.make({ user: { name: 'porch', password: 'secret' } });
  await Promise.all([open.start(), locked.start()]);
  t.teardown(() => Promise.all([open.stop(), locked.stop()]));
  const portOf = (url: string) => Number(new URL(url).port);
  const dead = { name: 'gone', host: '127.0.0.1', port: await freePort() };
  const closed = { name: 'locked', host: '127.0.0.1', port: portOf(locked.url) };
  const free = { name: 'Mosquitto on pi', host: '127.0.0.1', port: portOf(open.url) };
  const find = (services: readonly Announced[], login = NOBODY as object) =>
    findBroker({ ...NOBODY, ...login, ...LOGIN, ask: network(services, '127.0.0.1') }, never);
  t.match(await find([dead, closed, free]), {
    url: `mqtt://127.0.0.1:${free.port}`,
    by: 'announced as “Mosquitto on pi”',
    wantsLogin: false,
  });
  t.match(await find([closed]), { url: `mqtt://127.0.0.1:${closed.port}`, wantsLogin: true });
  t.match(await find([closed], { username: 'porch', password: 'secret' }), { wantsLogin: false });
});

t.test('no broker in the network is told the login', async (t) => {
  const told: unknown[] = [];
  const probe = async (options: {
    readonly url: unknown;
    readonly username?: unknown;
    readonly password?: unknown;
  }) => {
    told.push([options.url, options.username, options.password]);
    return { ok: false, fault: 'credentials', found: 'refused' } as const;
  };
  const announced = ['192.0.2.9', '127.0.0.1', '2001:db8::9', '::1'];
  const services = announced.map((host) => ({ name: host, host, port: 1883 }));
  const login = { username: 'porch', password: 'secret' };
  await findBroker({ ...login, ...LOGIN, probe, ask: network(services) }, never);
  t.strictSame(told, [
    ['mqtt://192.0.2.9:1883', null, null],
    ['mqtt://127.0.0.1:1883', 'porch', 'secret'],
    ['mqtt://[2001:db8::9]:1883', null, null],
    ['mqtt://[::1]:1883', 'porch', 'secret'],
    ['mqtt://homeassistant.local:1883', null, null],
  ]);
});

t.test('where nothing answers there is none', async (t) => {
  const port = await freePort();
  const services = [{ name: 'x', host: '127.0.0.1', port }];
  const probe = async () => ({ ok: false, fault: 'refused', found: 'ECONNREFUSED' }) as const;
  t.equal(await findBroker({ ...NOBODY, ...LOGIN, probe, ask: network(services) }, never), null);
});

t.test('answers of multicast DNS are put together', async (t) => {
  const responder = makeMdns();
  t.teardown(() => responder.destroy());
  let failed: Error | null = null;
  responder.on('error', (error: Error) => {
    failed = error;
  });
  responder.on('query', ({ questions }) => {
    const asks = (name: string, type: string) =>
      questions.some((question) => question.name === name && question.type === type);
    if (!asks('_test-mnd._tcp.local', 'PTR')) return;
    const pointer = 'A broker._test-mnd._tcp.local';
    responder.respond({
      answers: [
        { name: '_test-mnd._tcp.local', type: 'PTR', data: pointer },
        { name: '_test-mnd._tcp.local', type: 'PTR', data: 'Half._test-mnd._tcp.local' },
        { name: 'house.local', type: 'A', data: '192.0.2.4' },
      ],
      additionals: [
        { name: pointer, type: 'SRV', data: { target: 'pi.local', port: 1884 } },
        { name: 'pi.local', type: 'A', data: '192.0.2.3' },
      ],
    });
  });
  const options = { service: '_test-mnd._tcp.local', host: 'house.local', windowMs: 1500 };
  const { services, address } = await askNetwork(options, never);
  if (services.length === 0) {
    t.comment(`SKIPPED: multicast does not work here (${failed ?? 'no packet came back'})`);
    return;
  }
  t.same(services, [{ name: 'A broker', host: '192.0.2.3', port: 1884 }]);
  t.equal(address, '192.0.2.4');
});
