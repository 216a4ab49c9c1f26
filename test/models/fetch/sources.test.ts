import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import type { CatalogEntry } from '#mobilenetd/models/catalog/catalog.js';
import { fetchModel, type SourceEnvironment } from '#mobilenetd/models/fetch/sources.js';
import { PATIENCE_MS } from '../../eventually.js';
import { recordingClock } from '../../fake-clock.js';
import { scratchFolder } from '../../scratch-folder.js';
import { buildTgz, buildZip } from '../archives.js';
import { type Handler, serveBytes, startServer } from '../http-server.js';
import { integrity, sha256, tinyEntry } from '../sample-shelf.js';

const MODEL = Buffer.from('the bytes of a model');
const MEMBER = { path: 'model.tflite', sha256: sha256(MODEL) };
const TGZ = buildTgz([{ path: 'model.tflite', data: MODEL }]);

function entryOf(source: object): CatalogEntry {
  return tinyEntry(source) as CatalogEntry;
}

async function scene(
  t: Pick<Test, 'teardown'>,
  options: { handler?: Handler; mirror?: boolean; env?: NodeJS.ProcessEnv } = {},
) {
  const root = scratchFolder('sources');
  const server = await startServer(
    options.handler ?? ((_request, response) => response.writeHead(404).end()),
  );
  t.teardown(() => server.close());
  const mirror = join(root, 'mirror');
  const scratch = join(root, 'scratch');
  await mkdir(mirror);
  await mkdir(scratch);
  const warnings: string[] = [];
  const environment: SourceEnvironment = {
    mirror: options.mirror ? mirror : null,
    downloads: join(root, 'downloads'),
    pins: join(root, 'pins.json'),
    catalogFolder: root,
    env: { npm_config_registry: `${server.url}/npm/`, ...options.env },
    cwd: root,
    home: root,
    log: { info: () => undefined, warn: (_fields, message) => void warnings.push(message) },
    timeouts: { answer: PATIENCE_MS, idle: PATIENCE_MS },
    clock: recordingClock(),
  };
  return {
    root,
    mirror,
    scratch,
    server,
    warnings,
    downloads: environment.downloads,
    fetch: (source: object) => fetchModel(entryOf(source), environment, { scratch }),
  };
}

const archiveSource = (url: string, archive: string, bytes: Uint8Array) => ({
  kind: 'https',
  url,
  archive,
  sha256: sha256(bytes),
  members: [MEMBER],
});

t.test('https: every kind of file', async (t) => {
  const zip = buildZip([{ path: 'model.tflite', data: MODEL }]);
  for (const [archive, bytes] of [
    ['tgz', TGZ],
    ['zip', zip],
    ['none', MODEL],
  ] as const) {
    const { fetch, server, downloads } = await scene(t, {
      handler: (request, response) => serveBytes(bytes, request, response),
    });
    const source = archiveSource(`${server.url}/a/model.${archive}?key=1`, archive, bytes);
    const { files, discard } = await fetch(source);
    t.strictSame(await readFile(files.get('model.tflite') ?? ''), MODEL, archive);
    await discard();
    t.strictSame(await readdir(downloads), [], 'nothing is left of the download');
  }
});

t.test('a download that is there already is not fetched again', async (t) => {
  const { fetch, server, downloads, scratch } = await scene(t, {
    handler: (request, response) => serveBytes(TGZ, request, response),
  });
  const source = archiveSource(`${server.url}/model.tgz`, 'tgz', TGZ);
  const first = await fetch(source);
  t.equal(basename(first.files.get('model.tflite') ?? ''), 'source-0');
  t.equal((await readdir(downloads)).length, 1);
  await import('node:fs/promises').then(({ rm }) => rm(join(scratch, 'source-0')));
  await fetch(source);
  t.equal(server.seen.length, 1);
});

t.test('an archive with the right checksum but another member', async (t) => {
  const other = buildTgz([{ path: 'model.tflite', data: Buffer.from('something else') }]);
  const { fetch, server } = await scene(t, {
    handler: (request, response) => serveBytes(other, request, response),
  });
  await t.rejects(fetch(archiveSource(`${server.url}/model.tgz`, 'tgz', other)), {
    code: 'MND_MODEL_CHECKSUM',
    message: /model.tflite/,
  });
});

t.test('the mirror comes before the network', async (t) => {
  const member = await scene(t, { mirror: true });
  await writeFile(join(member.mirror, 'model.tflite'), MODEL);
  const source = archiveSource(`${member.server.url}/model.tgz`, 'tgz', TGZ);
  const { files, discard } = await member.fetch(source);
  t.equal(files.get('model.tflite'), join(member.mirror, 'model.tflite'));
  await discard();
  t.ok(existsSync(join(member.mirror, 'model.tflite')), 'and keeps its files');

  const named = await scene(t, { mirror: true });
  await writeFile(join(named.mirror, 'tiny.tflite'), MODEL);
  t.equal((await named.fetch(source)).files.get('model.tflite'), join(named.mirror, 'tiny.tflite'));

  const archive = await scene(t, { mirror: true });
  await writeFile(join(archive.mirror, 'model.tgz'), TGZ);
  const unpacked = await archive.fetch(source);
  t.strictSame(await readFile(unpacked.files.get('model.tflite') ?? ''), MODEL);
  for (const { server } of [member, named, archive]) t.equal(server.seen.length, 0);
});

t.test('a file of the mirror with another checksum is passed over', async (t) => {
  const { fetch, mirror, server, warnings } = await scene(t, {
    mirror: true,
    handler: (request, response) => serveBytes(TGZ, request, response),
  });
  await writeFile(join(mirror, 'model.tflite'), 'not the model');
  await writeFile(join(mirror, 'model.tgz'), 'not the archive');
  await mkdir(join(mirror, 'tiny.tflite'));
  const { files } = await fetch(archiveSource(`${server.url}/model.tgz`, 'tgz', TGZ));
  t.strictSame(await readFile(files.get('model.tflite') ?? ''), MODEL);
  t.equal(server.seen.length, 1);
  t.equal(warnings.length, 2);
  t.match(warnings[0], /another checksum/);
});

t.test('file: beside the catalogue, checked', async (t) => {
  const { fetch, root } = await scene(t);
  await writeFile(join(root, 'model.tgz'), TGZ);
  const source = (path: string, sum: string) => ({
    kind: 'file',
    path,
    archive: 'tgz',
    sha256: sum,
    members: [MEMBER],
  });
  const { files, discard } = await fetch(source('model.tgz', sha256(TGZ)));
  t.strictSame(await readFile(files.get('model.tflite') ?? ''), MODEL);
  await discard();
  t.ok(existsSync(join(root, 'model.tgz')), "the user's file stays");
  await t.rejects(fetch(source('model.tgz', sha256('x'))), { code: 'MND_MODEL_CHECKSUM' });
  await t.rejects(fetch(source('none.tgz', sha256('x'))), { code: 'MND_INPUT_MISSING' });
  await t.rejects(fetch(source('.', sha256('x'))), { code: 'MND_INPUT_MISSING' });
});

const PACKAGE = buildTgz([
  {
    path: 'package/package.json',
    data: Buffer.from('{"scripts":{"postinstall":"touch /tmp/ran"}}'),
  },
  { path: 'package/files/model.tflite', data: MODEL },
]);

const npmSource = (sum = integrity(PACKAGE)) => ({
  kind: 'npm',
  package: '@scope/pack',
  version: '1.0.0',
  integrity: sum,
  members: [{ path: 'files/model.tflite', sha256: sha256(MODEL) }],
});

t.test('npm: the tarball from the configured registry', async (t) => {
  const { fetch, server, root } = await scene(t, {
    handler: (request, response) => serveBytes(PACKAGE, request, response),
  });
  await writeFile(join(root, '.npmrc'), `//${new URL(server.url).host}/npm/:_authToken=s3cret\n`);
  const { files } = await fetch(npmSource());
  t.strictSame(await readFile(files.get('files/model.tflite') ?? ''), MODEL);
  t.strictSame(
    server.seen.map(({ url }) => url),
    ['/npm/@scope/pack/-/pack-1.0.0.tgz'],
  );
  t.equal(server.seen[0]?.headers.authorization, 'Bearer s3cret');
});

t.test('npm: a registry that keeps its tarballs elsewhere', async (t) => {
  const { fetch, server } = await scene(t, {
    handler: (request, response) => {
      const here = `http://${request.headers.host}`;
      if (request.url === '/npm/@scope%2fpack/1.0.0') {
        response.end(JSON.stringify({ dist: { tarball: `${here}/blob/1` } }));
      } else if (request.url === '/blob/1') serveBytes(PACKAGE, request, response);
      else response.writeHead(404).end();
    },
  });
  const { files } = await fetch(npmSource());
  t.strictSame(await readFile(files.get('files/model.tflite') ?? ''), MODEL);
  t.equal(server.seen.length, 3);
});

t.test('npm: a tarball with another integrity, and registries that lie or fail', async (t) => {
  const { fetch } = await scene(t, {
    handler: (request, response) => serveBytes(PACKAGE, request, response),
  });
  const wrong = integrity(Buffer.from('other'));
  const failure = await fetch(npmSource(wrong)).catch((error: unknown) => error);
  t.match(failure, { code: 'MND_MODEL_CHECKSUM' });
  t.match(String(failure), wrong);
  t.match(String(failure), integrity(PACKAGE));

  for (const manifest of [
    '',
    'null',
    '[]',
    '{"dist":{"tarball":7}}',
    '{"dist":{"tarball":"file:///etc/passwd"}}',
    ' '.repeat(2_000_000),
  ]) {
    const { fetch } = await scene(t, {
      handler: (request, response) => {
        if (request.url?.endsWith('/1.0.0')) response.end(manifest);
        else response.writeHead(404).end();
      },
    });
    await t.rejects(
      fetch(npmSource()),
      { code: 'MND_DOWNLOAD_FAILED', message: /404/ },
      manifest.slice(0, 50),
    );
  }
});

t.test('an unfinished download is continued by the next process', async (t) => {
  const bytes = Buffer.concat([TGZ]);
  const { fetch, server, downloads } = await scene(t, {
    handler: (request, response, count) => {
      if (count > 1) return serveBytes(bytes, request, response);
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 20), () => response.destroy());
    },
  });
  const source = archiveSource(`${server.url}/model.tgz`, 'tgz', bytes);
  const key = `model.tgz-${sha256(bytes).slice(0, 12)}`;
  await mkdir(downloads);
  await writeFile(join(downloads, `${key}.part`), bytes.subarray(0, 10));
  const { files } = await fetch(source);
  t.strictSame(await readFile(files.get('model.tflite') ?? ''), MODEL);
  t.equal(server.seen[0]?.headers.range, 'bytes=10-');
  t.strictSame(await readdir(downloads), [key]);
});

t.test(
  'a file without a published checksum is pinned when it is fetched first, which is said',
  async (t) => {
    let served = MODEL;
    const { fetch, server, warnings, root, downloads } = await scene(t, {
      handler: (request, response) => serveBytes(served, request, response),
    });
    const at = (name: string) => ({
      kind: 'https',
      url: `${server.url}/${name}.tflite`,
      archive: 'none',
      sha256: null,
      members: [{ path: 'model.tflite', sha256: null }],
    });
    const first = await fetch(at('one'));
    t.strictSame(await readFile(first.files.get('model.tflite') ?? ''), MODEL);
    t.match(warnings, [new RegExp(`no checksum is published.*${sha256(MODEL)}.*from now on`)]);
    await first.discard();
    await t.resolves(fetch(at('one')), 'the same file again');

    served = Buffer.from('the bytes of another model');
    await t.rejects(fetch(at('one')), {
      code: 'MND_MODEL_CHECKSUM',
      message: new RegExp(`${sha256(MODEL)}.*${sha256(served)}.*pins.json`, 's'),
    });
    t.strictSame(await readdir(downloads), [], 'nothing is left of what was refused');
    await fetch(at('two'));
    t.equal(warnings.length, 2, 'each address has its own');
    await writeFile(join(root, 'pins.json'), '{"a": "b"}');
    await t.rejects(fetch(at('two')), { code: 'MND_MODEL_INVALID' });
  },
);
