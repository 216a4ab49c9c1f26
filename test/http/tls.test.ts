import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { followCertificate, readCertificate } from '#mobilenetd/daemon/outputs/page-files.js';
import { startPage } from '#mobilenetd/http/server.js';
import { SILENT } from '#mobilenetd/log.js';
import { systemClock } from '#mobilenetd/time.js';
import { createFakeClock } from '../fake-clock.js';
import { lastingFolder } from '../lasting-folder.js';
import { createFakeSource } from './fake-source.js';
import { PASSWORD, pageOptions, servePage, USERS } from './page-server.js';

function makeCertificate(folder: string, name: string) {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const what = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const how = ['-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert];
  execFileSync('openssl', [...what, ...how], { stdio: 'ignore' });
  return { cert_file: cert, key_file: key };
}

interface Seen {
  readonly status: number;
  readonly name: string | undefined;
  readonly cookie: string;
}

function askTls(port: number, path: string, body?: object): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port, path, agent: false, rejectUnauthorized: false },
        method: body === undefined ? 'GET' : 'POST',
        headers: { Host: 'localhost', 'Content-Type': 'application/json' },
      },
      (answer) => {
        const name = (answer.socket as TLSSocket).getPeerCertificate().subject.CN;
        answer.resume().on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            name: String(name),
            cookie: String(answer.headers['set-cookie'] ?? ''),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function startTls(t: Test, files: ReturnType<typeof makeCertificate>) {
  const tls = readCertificate(files);
  const options = { ...pageOptions(t), tls, users: USERS };
  const { verifyPassword: verify } = await import('#mobilenetd/mqtt/broker/password.js');
  const page = await startPage(options, createFakeSource(), {
    clock: systemClock,
    log: SILENT,
    verify,
  });
  t.teardown(() => page.close());
  return { page, port: Number(new URL(page.url).port) };
}

const HOUR_MS = 3_600_000;

t.test('https by certificate files, and a cookie for https alone', async (t) => {
  const { page, port } = await startTls(t, makeCertificate(lastingFolder(t), 'porch'));
  t.match(page.url, /^https:\/\/127\.0\.0\.1:/);
  t.match(await askTls(port, '/healthz'), { status: 200, name: 'porch' });
  const { cookie } = await askTls(port, '/api/v1/login', { user: 'anna', password: PASSWORD });
  t.match(cookie, /HttpOnly; SameSite=Strict; Secure$/);
  await t.rejects(fetch(`http://127.0.0.1:${port}/`), 'plain http is not answered');
});

t.test('a certificate that is renewed is used, a broken one is not', async (t) => {
  const folder = lastingFolder(t);
  const files = makeCertificate(folder, 'before');
  const { page, port } = await startTls(t, files);
  const clock = createFakeClock();
  const stop = followCertificate(files, page.renew, SILENT, clock);
  t.teardown(stop);
  writeFileSync(files.cert_file, 'half of a certif');
  await clock.advance(2 * HOUR_MS);
  t.equal((await askTls(port, '/healthz')).name, 'before');
  makeCertificate(folder, 'after');
  t.equal((await askTls(port, '/healthz')).name, 'before', 'it is looked at once an hour');
  await clock.advance(HOUR_MS);
  t.equal((await askTls(port, '/healthz')).name, 'after');
});

t.test('a proxy that speaks https makes the cookie one for https, if it is trusted', async (t) => {
  const page = await servePage(t, { users: USERS, trustedProxies: ['127.0.0.1'] });
  const headers = { Host: 'porch.example', 'X-Forwarded-Proto': 'https' };
  const ask = (origin: string) =>
    page.post(
      '/api/v1/login',
      { user: 'anna', password: PASSWORD },
      { ...headers, Origin: origin },
    );
  t.match((await ask('https://porch.example')).headers['set-cookie'], [/; Secure$/]);
  t.equal((await ask('http://porch.example')).status, 403, 'the same name without https');
});
