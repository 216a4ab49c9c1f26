import t from 'tap';
import { addressForPeople, linkToPage } from '#mobilenetd/daemon/outputs/page-address.js';

const lan = { family: 'IPv4', internal: false, address: '192.0.2.7' } as const;
const loop = { family: 'IPv4', internal: true, address: '127.0.0.1' } as const;
const AROUND = {
  hostname: 'porch',
  interfaces: { lo: [info(loop)], eth0: [info(lan)], none: undefined },
};
const USERS = { anna: { password: 'x', role: 'admin' as const } };
const STATUS = {
  ...{ listen: '0.0.0.0:8080', users: USERS, tokens: {}, trusted_proxies: [], hosts: [] },
  ...{ base_path: '/', frame_ancestors: [], tls: { cert_file: null, key_file: null } },
  metrics: { enabled: true, token_file: null },
};

function info(of: typeof lan | typeof loop) {
  return { ...of, netmask: '255.255.255.0', mac: '00:00:00:00:00:00', cidr: null };
}

t.test('an address that people can open', (t) => {
  const of = (url: string, hosts: readonly string[] = [], around = AROUND) =>
    addressForPeople(url, { hosts: [...hosts] }, around);
  t.equal(of('http://127.0.0.1:8080/'), 'http://127.0.0.1:8080/');
  t.equal(of('http://[::1]:8080/', ['porch.local']), 'http://[::1]:8080/');
  t.equal(of('http://0.0.0.0:8080/cam/'), 'http://192.0.2.7:8080/cam/');
  t.equal(of('https://[::]:8443/'), 'https://192.0.2.7:8443/');
  t.equal(of('http://198.51.100.3:80/'), 'http://198.51.100.3/');
  t.equal(of('http://0.0.0.0:8080/', ['porch.local']), 'http://porch.local:8080/');
  const alone = { hostname: 'porch', interfaces: { lo: [info(loop)] } };
  t.equal(addressForPeople('http://0.0.0.0:8080/', { hosts: [] }, alone), 'http://porch:8080/');
  t.end();
});

t.test("the device's link leads to the page where it can be opened", (t) => {
  const of = (more: object) => linkToPage({ ...STATUS, ...more }, AROUND);
  t.equal(of({}), 'http://192.0.2.7:8080/');
  t.equal(of({ tls: { cert_file: '/c', key_file: '/k' } }), 'https://192.0.2.7:8080/');
  t.equal(of({ hosts: ['porch.local'], base_path: '/cam/' }), 'http://porch.local:8080/cam/');
  t.equal(of({ listen: '[::]:8080' }), 'http://192.0.2.7:8080/');
  for (const none of [
    { listen: null },
    { listen: '127.0.0.1:8080' },
    { listen: 'localhost:8080' },
    { listen: '[::1]:8080' },
    { users: {}, trusted_proxies: ['192.0.2.1'] },
  ]) {
    t.equal(of(none), null, JSON.stringify(none));
  }
  t.end();
});
