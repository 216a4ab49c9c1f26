/**
 * Storms the page from a process of its own: `node page-attack.js URL TOKEN SECONDS HOSTILE SEED [KIND,…]`. Fifty
 * tabs and twenty slow readers have the token, bodies of 5 MB and hostile requests come besides. What
 * was answered is told on standard output in one line of JSON.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { hostileRequest } from './hostile-requests.js';

export interface AttackReport {
  /** Answers by status, by who asked; 0: cut off. */
  readonly tabs: Readonly<Record<string, number>>;
  readonly bodies: Readonly<Record<string, number>>;
  readonly hostile: Readonly<Record<string, number>>;
  /** Answers to requests without a token that tell what they must not, or are a defect. */
  readonly wrong: readonly string[];
}

const [url = '', token = '', seconds = '5', hostile = '1000', seed = '1', only = 'all'] =
  process.argv.slice(2);
const { hostname, port } = new URL(url);
const endsAt = performance.now() + Number(seconds) * 1000;
const BEARER = { Authorization: `Bearer ${token}` };
const counts = { tabs: new Map<number, number>(), bodies: new Map<number, number>() };
const answered = new Map<number, number>();
const wrong: string[] = [];
/** What only those who may see the page know. */
const SECRETS = ['canarycam', 'random_v1'];

function count(of: Map<number, number>, status: number): void {
  of.set(status, (of.get(status) ?? 0) + 1);
}

const isOver = () => performance.now() > endsAt;

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Resolves with the status and a text's first bytes; 0 when it was cut off. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>(
    (resolve) => {
      const none = { status: 0, text: '', headers: {} };
      try {
        const sent = request({ hostname, port, path, method, headers, agent: false }, (answer) => {
          let text = '';
          answer.on('data', (chunk: Buffer) => {
            if (text.length < 10_000) text += chunk.toString('latin1');
          });
          const done = () =>
            resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers });
          answer.on('end', done);
          answer.on('error', done);
        });
        sent.setTimeout(15_000, () => sent.destroy());
        sent.on('error', () => resolve(none));
        sent.end(body);
      } catch {
        resolve(none);
      }
    },
  );
}

/** What a tab asks for: a stream, the newest picture again and again, events, history. */
async function tab(index: number): Promise<void> {
  const stream = request({
    ...{ hostname, port, path: '/api/v1/stream', headers: BEARER, agent: false },
  });
  stream.on('response', (answer) => answer.resume().on('error', () => {}));
  stream.on('error', () => {});
  stream.end();
  let after = -1;
  for (let round = 0; !isOver(); round += 1) {
    const paths = ['events?limit=50', 'history?range=24h', 'state', 'governor', 'events.csv'];
    const path =
      round % 3 === 0
        ? (paths[(round / 3 + index) % paths.length] ?? 'state')
        : `cameras/canarycam/frame.jpg?after=${after}`;
    const { status, headers } = await ask(`/api/v1/${path}`, { headers: BEARER });
    count(counts.tabs, status);
    after = Number(headers['x-frame-sequence'] ?? after);
    if (status !== 200) await delay(100);
  }
  stream.destroy();
}

/** Asks, and takes nothing of what comes. */
async function slowReader(index: number): Promise<void> {
  const paths = ['stream', 'events.csv', 'openapi.json', 'cameras/canarycam/frame.jpg'];
  while (!isOver()) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.pause();
    const path = paths[index % paths.length];
    for (let time = 0; time < 50; time += 1) {
      socket.write(
        `GET /api/v1/${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
    }
    await delay(3000);
    socket.destroy();
  }
}

async function largeBodies(): Promise<void> {
  const body = Buffer.alloc(5_000_000, 'a');
  const json = { 'Content-Type': 'application/json' };
  for (let round = 0; !isOver(); round += 1) {
    const path = ['config/check', 'login', 'governor/limit', 'nothing'][round % 4];
    const headers = round % 3 === 0 ? { ...json, ...BEARER } : json;
    const { status } = await ask(`/api/v1/${path}`, { method: 'POST', headers, body });
    count(counts.bodies, status);
  }
}

async function hostileRequests(share: number, first: number): Promise<void> {
  const random = createRandom(first);
  for (let index = 0; index < share; index += 1) {
    const { path, ...asked } = hostileRequest(random);
    const { status, text } = await ask(path, asked);
    count(answered, status);
    const isTold = SECRETS.some((secret) => text.includes(secret)) && status < 400;
    if (isTold || status === 500) {
      wrong.push(`${status} ${JSON.stringify({ path, ...asked })} ${text}`.slice(0, 400));
    }
  }
}

setPriority(19);
const WORKERS = 8;
const KINDS: Readonly<Record<string, () => Promise<void>[]>> = {
  tabs: () => Array.from({ length: 50 }, (_each, index) => tab(index)),
  slow: () => Array.from({ length: 20 }, (_each, index) => slowReader(index)),
  bodies: () => [largeBodies(), largeBodies()],
  hostile: () =>
    Array.from({ length: WORKERS }, (_each, index) =>
      hostileRequests(Math.ceil(Number(hostile) / WORKERS), Number(seed) * 100 + index),
    ),
};
const kinds = only === 'all' ? Object.keys(KINDS) : only.split(',');
await Promise.all(kinds.flatMap((kind) => KINDS[kind]?.() ?? []));
const report: AttackReport = {
  tabs: Object.fromEntries(counts.tabs),
  bodies: Object.fromEntries(counts.bodies),
  hostile: Object.fromEntries(answered),
  wrong,
};
console.log(JSON.stringify(report));
process.exit(0);
