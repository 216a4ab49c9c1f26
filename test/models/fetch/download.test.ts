import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sha256Sum } from '#mobilenetd/models/fetch/checksum.js';
import { type DownloadOptions, download } from '#mobilenetd/models/fetch/download.js';
import { createHttpClient, withoutSecrets } from '#mobilenetd/models/fetch/http.js';
import { PATIENCE_MS } from '../../eventually.js';
import { recordingClock } from '../../fake-clock.js';
import { scratchFolder } from '../../scratch-folder.js';
import { type Handler, serveBytes, startServer } from '../http-server.js';

const BYTES = randomBytes(300_000);
const SUM = sha256Sum(createHash('sha256').update(BYTES).digest('hex'));

interface Scene {
  readonly url: string;
  readonly file: string;
  readonly partFile: string;
  readonly waits: number[];
  readonly seen: readonly {
    readonly url: string;
    readonly headers: NodeJS.Dict<string | string[]>;
  }[];
  run(options?: Partial<DownloadOptions>): Promise<void>;
}

async function scene(
  t: Pick<Test, 'teardown'>,
  handler: Handler,
  patienceMs = PATIENCE_MS,
): Promise<Scene> {
  const server = await startServer(handler);
  const dir = scratchFolder('download');
  const http = createHttpClient({}, { answer: patienceMs, idle: patienceMs });
  t.teardown(async () => {
    await server.close();
  });
  const waits: number[] = [];
  const file = join(dir, 'file');
  const partFile = join(dir, 'file.part');
  return {
    url: server.url,
    file,
    partFile,
    waits,
    seen: server.seen,
    run: (options = {}) =>
      download({
        url: `${server.url}/model.tgz`,
        file,
        partFile,
        checksum: SUM,
        http,
        random: () => 1,
        clock: recordingClock(waits),
        ...options,
      }),
  };
}

t.test('a whole file, with progress', async (t) => {
  const { run, file, partFile, seen } = await scene(t, (request, response) =>
    serveBytes(BYTES, request, response),
  );
  const progress: number[] = [];
  await run({ onProgress: ({ received, total }) => progress.push(received / (total ?? 0)) });
  t.strictSame(await readFile(file), BYTES);
  t.equal(existsSync(partFile), false);
  t.equal(progress[0], 0);
  t.equal(progress.at(-1), 1);
  t.equal(seen[0]?.headers.range, undefined);
  t.match(seen[0]?.headers['user-agent'], /^mobilenetd\//);
});

t.test('continues where a broken transfer stopped', async (t) => {
  let broken: ServerResponse | undefined;
  const { run, file, seen, waits } = await scene(t, (request, response, count) => {
    if (count > 1) return serveBytes(BYTES, request, response);
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 100_000));
    broken = response;
  });
  // Only what has arrived can be continued.
  await run({ onProgress: ({ received }) => received > 0 && broken?.destroy() });
  t.strictSame(await readFile(file), BYTES);
  t.equal(seen.length, 2);
  const from = Number(/^bytes=(\d+)-$/.exec(String(seen[1]?.headers.range))?.[1]);
  t.ok(from > 0 && from <= 100_000, `continued at ${from}`);
  t.strictSame(waits, [1000]);
});

t.test(
  'continues what an earlier run left, and starts anew when that was of another file',
  async (t) => {
    const { run, file, partFile, seen } = await scene(t, (request, response) =>
      serveBytes(BYTES, request, response),
    );
    await writeFile(partFile, BYTES.subarray(0, 1234));
    await run();
    t.strictSame(await readFile(file), BYTES);
    t.equal(seen.at(-1)?.headers.range, 'bytes=1234-');

    await writeFile(partFile, randomBytes(5000));
    await run();
    t.strictSame(await readFile(file), BYTES);
    t.strictSame(
      seen.slice(1).map(({ headers }) => headers.range),
      ['bytes=5000-', undefined],
    );
  },
);

t.test('a part that is already whole needs no more bytes', async (t) => {
  const { run, file, partFile, seen } = await scene(t, (request, response) =>
    serveBytes(BYTES, request, response),
  );
  await writeFile(partFile, BYTES);
  await run();
  t.strictSame(await readFile(file), BYTES);
  t.equal(seen.length, 1);
  await writeFile(partFile, Buffer.concat([BYTES, BYTES]));
  await run();
  t.strictSame(await readFile(file), BYTES, 'and one that is longer than the file begins anew');
});

t.test('a server that cannot continue sends everything again', async (t) => {
  const { run, file, partFile } = await scene(t, (_request, response) => {
    response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES);
  });
  await writeFile(partFile, BYTES.subarray(0, 1000));
  await run();
  t.strictSame(await readFile(file), BYTES);
});

t.test('a range that was not asked for is not trusted', async (t) => {
  const { run, file, partFile } = await scene(t, (request, response, count) => {
    if (count > 1) return serveBytes(BYTES, request, response);
    response.writeHead(206, { 'content-range': `bytes 7-9/${BYTES.length}` }).end('abc');
  });
  await writeFile(partFile, BYTES.subarray(0, 1000));
  await run();
  t.strictSame(await readFile(file), BYTES);
});

t.test('a wrong checksum says both, and leaves what was there', async (t) => {
  const other = randomBytes(5000);
  const found = createHash('sha256').update(other).digest('hex');
  const { run, file, partFile, seen } = await scene(t, (request, response) =>
    serveBytes(other, request, response),
  );
  await writeFile(file, 'what worked before');
  const failure = await run().catch((error: unknown) => error);
  t.match(failure, { code: 'MND_MODEL_CHECKSUM' });
  t.match(String(failure), `expected sha256 ${SUM.text}`);
  t.match(String(failure), `found sha256 ${found}`);
  t.equal(await readFile(file, 'utf8'), 'what worked before');
  t.equal(existsSync(partFile), false);
  t.equal(seen.length, 1, 'a whole wrong file is not fetched twice');
});

t.test('a transfer that stalls is given up and tried again', async (t) => {
  const { run, file, seen } = await scene(
    t,
    (request, response, count) => {
      if (count > 2) return serveBytes(BYTES, request, response);
      if (count === 1) return;
      response.writeHead(200, { 'content-length': BYTES.length });
      response.write(BYTES.subarray(0, 10));
    },
    // Two are waited for in vain; the third has this long even where the machine is busy.
    3000,
  );
  await run();
  t.strictSame(await readFile(file), BYTES);
  t.equal(seen.length, 3);
});

t.test('tries are bounded, waits grow', async (t) => {
  const { run, waits, seen } = await scene(t, (_request, response) => {
    response.writeHead(503).end();
  });
  await t.rejects(run(), { code: 'MND_DOWNLOAD_FAILED', message: /HTTP status 503/ });
  t.equal(seen.length, 5);
  t.strictSame(waits, [1000, 2000, 4000, 8000]);
});

t.test('a body that always ends too early is bounded too', async (t) => {
  let open: ServerResponse | undefined;
  const { run, seen } = await scene(t, (request, response) => {
    const start = Number(/\d+/.exec(String(request.headers.range))?.[0] ?? 0);
    const contentRange = `bytes ${start}-${BYTES.length - 1}/${BYTES.length}`;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': BYTES.length - start,
      'content-range': contentRange,
    });
    response.write(BYTES.subarray(start, start + 10));
    open = response;
  });
  let before = 0;
  const onProgress = ({ received }: { received: number }) => {
    if (received > before) open?.destroy();
    before = received;
  };
  await t.rejects(run({ onProgress }), { code: 'MND_DOWNLOAD_FAILED' });
  t.equal(seen.length, 20);
});

t.test('what will not change is not tried again', async (t) => {
  for (const status of [400, 401, 403, 404, 410]) {
    const { run, seen } = await scene(t, (_request, response) => {
      response.writeHead(status).end('no');
    });
    const message = new RegExp(`model.tgz: a download failed; found HTTP status ${status}; check`);
    await t.rejects(run(), { code: 'MND_DOWNLOAD_FAILED', message });
    t.equal(seen.length, 1);
  }
});

t.test('nobody listens', async (t) => {
  const server = await startServer(() => undefined);
  await server.close();
  const { run, waits } = await scene(t, () => undefined);
  const message = /the connection was refused/;
  await t.rejects(run({ url: server.url }), { code: 'MND_DOWNLOAD_FAILED', message });
  t.equal(waits.length, 4);
});

t.test('redirects', async (t) => {
  const { run, file, seen, url } = await scene(t, (request, response) => {
    if (request.url === '/model.tgz') response.writeHead(302, { location: '/there' }).end();
    else if (request.url === '/loop') response.writeHead(301, { location: '/loop' }).end();
    else if (request.url === '/none') response.writeHead(302).end();
    else if (request.url === '/ftp') response.writeHead(302, { location: 'ftp://x/y' }).end();
    else serveBytes(BYTES, request, response);
  });
  await run();
  t.strictSame(await readFile(file), BYTES);
  t.strictSame(
    seen.map((request) => request.url),
    ['/model.tgz', '/there'],
  );
  for (const [path, message] of [
    ['/loop', /at most 5 redirects/],
    ['/none', /a redirect to an address/],
    ['/ftp', /expected a redirect to https; found ftp:/],
  ] as const) {
    await t.rejects(run({ url: url + path }), { code: 'MND_DOWNLOAD_FAILED', message }, path);
  }
});

t.test('credentials do not follow a redirect to another host', async (t) => {
  const other = await startServer((request, response) => serveBytes(BYTES, request, response));
  t.teardown(() => other.close());
  const { run, seen } = await scene(t, (_request, response) => {
    response.writeHead(302, { location: `${other.url}/there` }).end();
  });
  await run({ headers: { authorization: 'Bearer secret' } });
  t.equal(seen[0]?.headers.authorization, 'Bearer secret');
  t.equal(other.seen[0]?.headers.authorization, undefined);
});

t.test('too large, announced or not', async (t) => {
  const announced = await scene(t, (request, response) => serveBytes(BYTES, request, response));
  await t.rejects(announced.run({ maxBytes: 1000 }), { code: 'MND_MODEL_TOO_LARGE' });
  const endless = await scene(t, (_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (response.writable && response.write(BYTES));
    };
    response.on('drain', more);
    more();
  });
  await t.rejects(endless.run({ maxBytes: 1_000_000 }), { code: 'MND_MODEL_TOO_LARGE' });
  t.equal(endless.seen.length, 1);
  const vast = await scene(t, (_request, response) => {
    response.writeHead(200, { 'content-length': String(2 ** 50) });
    response.write('x');
  });
  await t.rejects(
    vast.run({ maxBytes: Number.MAX_SAFE_INTEGER }),
    { code: 'MND_MODEL_UNWRITABLE', message: /expected \d+ MB of free disk/ },
    'the room on the disk is looked at first',
  );
});

t.test('a disk that is full', { skip: !existsSync('/dev/full') && 'no /dev/full' }, async (t) => {
  const { run, partFile, file, seen } = await scene(t, (request, response) =>
    serveBytes(BYTES, request, response),
  );
  await symlink('/dev/full', partFile);
  await t.rejects(run(), { code: 'MND_MODEL_UNWRITABLE', message: /ENOSPC.*make room/ });
  t.equal(existsSync(file), false);
  t.equal(seen.length, 1);
});

t.test('can be stopped, and continued later', async (t) => {
  const controller = new AbortController();
  const { run, file, partFile } = await scene(t, (request, response, count) => {
    if (count > 1) return serveBytes(BYTES, request, response);
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 50_000));
  });
  const reason = new Error('stop');
  const stopped = run({
    signal: controller.signal,
    onProgress: ({ received }) => received > 0 && controller.abort(reason),
  });
  await t.rejects(stopped, { message: 'stop' });
  t.equal(existsSync(file), false);
  t.ok((await readFile(partFile)).length > 0);
  await run();
  t.strictSame(await readFile(file), BYTES);
});

t.test('addresses in messages carry no secrets', async (t) => {
  t.equal(withoutSecrets('https://user:pass@host/a/b?token=1#x'), 'https://host/a/b');
  t.equal(withoutSecrets('nonsense'), 'an address that is none');
});
