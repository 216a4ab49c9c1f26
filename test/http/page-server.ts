import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { VerifyPassword } from '#mobilenetd/http/login.js';
import type { PageOptions } from '#mobilenetd/http/options.js';
import { startPage } from '#mobilenetd/http/server.js';
import { SILENT } from '#mobilenetd/log.js';
import { hashPassword, verifyPassword } from '#mobilenetd/mqtt/broker/password.js';
import { systemClock } from '#mobilenetd/time.js';
import { createFakeSource, type FakeSource } from './fake-source.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface PageUnderTest {
  readonly port: number;
  readonly source: FakeSource;
  ask(path: string, asked?: Asked): Promise<Answer>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export const PASSWORD = 'correct horse';
export const USERS = {
  anna: { password: await hashPassword(PASSWORD), role: 'admin' as const },
  bert: { password: await hashPassword('battery'), role: 'view' as const },
};

/** A page on loopback without users, with files of its own. */
export function pageOptions(t: Test): PageOptions {
  const assets = mkdtempSync(join(tmpdir(), 'mobilenetd-page-'));
  writeFileSync(join(assets, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(assets, 'main-ABCDEFGH.js'), 'export {};');
  t.teardown(() => rmSync(assets, { recursive: true, force: true }));
  return {
    host: '127.0.0.1',
    port: 0,
    tls: null,
    users: {},
    tokens: {},
    trustedProxies: [],
    hosts: [],
    basePath: '/',
    frameAncestors: [],
    metrics: null,
    assets,
    version: '1.2.3',
  };
}

/** A page on a port of its own with a daemon that is none. */
export async function servePage(
  t: Test,
  options: Partial<PageOptions> = {},
  verify: VerifyPassword = verifyPassword,
): Promise<PageUnderTest> {
  const source = createFakeSource();
  const page = await startPage({ ...pageOptions(t), ...options }, source, {
    clock: systemClock,
    log: SILENT,
    verify,
  });
  t.teardown(() => page.close());
  const port = Number(new URL(page.url).port);
  const ask = (path: string, asked: Asked = {}) => askPort(port, path, asked);
  return {
    port,
    source,
    ask,
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

/** Without fetch, which sets Host, Origin and Sec-Fetch-Site as it likes. */
function askPort(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asked,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
