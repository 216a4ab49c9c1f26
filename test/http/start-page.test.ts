import { get, type IncomingHttpHeaders } from 'node:http';
import t from 'tap';
import { type StartPageOptions, startStartPage } from '#mobilenetd/http/start-page.js';
import { freePort } from '../free-port.js';

const DOING = 'fetching the model <b>: 40 of 100 %';
const TOLD = 'fetching the model &#60;b&#62;: 40 of 100 %';
const USERS = { anna: { password: 'scrypt$1$1$1$x$y', role: 'admin' } } as const;
const REMOTE = { 'X-Ingress-Path': '/api/hassio_ingress/x', Host: 'ha.example' };

interface Case {
  readonly what: string;
  readonly options?: Partial<StartPageOptions>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isTold: boolean;
}

const CASES: readonly Case[] = [
  { what: 'the board itself', isTold: true },
  {
    what: 'a name of another site that points here',
    headers: { Host: 'evil.example' },
    isTold: false,
  },
  {
    what: 'a name that the configuration gives',
    options: { hosts: ['Porch.local'] },
    headers: { Host: 'porch.local' },
    isTold: true,
  },
  { what: 'where a login is asked for', options: { users: USERS }, isTold: false },
  {
    what: "Home Assistant's ingress",
    options: { trustedProxies: ['127.0.0.1'] },
    headers: REMOTE,
    isTold: true,
  },
  {
    what: 'the network, where a proxy elsewhere is trusted',
    options: { host: '0.0.0.0', trustedProxies: ['192.0.2.1'] },
    isTold: false,
  },
];

t.test('how far a start is, is told to who sees the page without a login', async (t) => {
  for (const { what, options, headers = {}, isTold } of CASES) {
    const port = await freePort();
    const page = await startStartPage({
      ...{ host: '127.0.0.1', port, tls: null, users: {}, trustedProxies: [], hosts: [] },
      ...{ basePath: '/', frameAncestors: [], version: '1.2.3', doing: () => DOING },
      ...options,
    });
    const html = await read(port, '/', headers);
    t.equal(html.status, 503, what);
    t.equal(html.headers['retry-after'], '2');
    t.equal(html.body.includes(TOLD), isTold, `${what}: ${html.body}`);
    t.match(html.headers['content-security-policy'], "default-src 'none'");
    const state = await read(port, '/api/v1/state', headers);
    t.strictSame(JSON.parse(state.body), {
      phase: 'starting',
      doing: isTold ? DOING : null,
      version: '1.2.3',
    });
    await page.close();
    await t.rejects(read(port, '/', headers), 'and then the address is free');
  }
});

function read(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<{
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}> {
  return new Promise((answered, failed) => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        answered({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    }).on('error', failed);
  });
}
