import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { writeDetector } from '../models/sample-files.js';
import { runInProcess } from './in-process.js';

const root = mkdtempSync(join(tmpdir(), 'cli-pictures-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
const ENV = { PATH: process.env.PATH, HOME: root, MOBILENETD_STATE: join(root, 'state') };
const COMMANDS = [
  { name: 'models', summary: '', load: () => import('#mobilenetd/cli/models.js') },
  { name: 'detect', summary: '', load: () => import('#mobilenetd/cli/detect.js') },
];
const run = (...args: readonly string[]) => runInProcess(COMMANDS, args, ENV);
/** Random weights: at this threshold they find something in any picture. */
const LOW = ['--threshold', '0.01', '--size', '140'];

const classes = join(root, 'classes.txt');
writeFileSync(classes, Array.from({ length: 91 }, (_, index) => `class ${index}\n`).join(''));
const added = ['--labels', classes, '--name', 'finder', '--task', 'detect'];
await run('models', 'add', writeDetector(root), ...added);
const red = join(root, 'red.png');
await sharp({ create: { width: 90, height: 60, channels: 3, background: 'red' } }).toFile(red);

/** The command as a process, fed by `input`. */
async function pipe(input: Uint8Array, args: readonly string[]) {
  const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { env: ENV });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    text.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text.stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [status] = await once(child, 'close');
  return { ...text, status };
}

t.test('--draw writes boxes into a file, of the kind that its name says', async (t) => {
  for (const [name, format] of [
    ['out.png', 'png'],
    ['out.jpg', 'jpeg'],
    ['out.WEBP', 'webp'],
  ] as const) {
    const out = join(t.testdir(), name);
    const done = await run('detect', red, ...LOW, '--json', '--draw', out);
    t.equal(done.status, 0, done.stderr);
    t.match(done.json()[0], { drawn: out });
    t.match(await sharp(out).metadata(), { format, width: 90, height: 60 });
    const { channels } = await sharp(out).stats();
    t.ok((channels[1]?.max ?? 0) > 100, 'something that is not red is drawn over it');
  }
});

t.test('several pictures go into a folder, none over another, none over itself', async (t) => {
  const folder = join(t.testdir({ more: {} }), 'drawn');
  const twin = join(t.testdirName, 'more', 'red.webp');
  await sharp(red).toFile(twin);
  const done = await run('detect', red, twin, ...LOW, '--draw', folder);
  t.equal(done.status, 0, done.stderr);
  t.same(readdirSync(folder).sort(), ['red-2.jpg', 'red.jpg']);
  t.match(done.stdout, `  drawn: ${join(folder, 'red.jpg')}\n`);
  const before = readFileSync(red);
  const over = await run('detect', red, '--draw', red);
  t.match(over, { status: 64, stderr: /MND_USAGE.*another file than the picture itself/ });
  t.strictSame(readFileSync(red), before);
});

t.test('what cannot be drawn into is said, with a code', async (t) => {
  const bmp = await run('detect', red, '--draw', join(t.testdir(), 'out.bmp'));
  t.match(bmp, { status: 64, stderr: /MND_USAGE.*ends with \.jpg, \.jpeg, \.png, \.webp/ });
  const nowhere = await run('detect', red, ...LOW, '--draw', join(root, 'no', 'out.png'));
  t.match(nowhere, { status: 1, stderr: /MND_OUTPUT_FAILED/ });
  const folder = await run('detect', red, '--draw', join(red, 'folder/'));
  t.match(folder, { status: 1, stderr: /MND_OUTPUT_FAILED/ });
});

t.test('a picture on standard input', async (t) => {
  const out = join(t.testdir(), 'piped.png');
  const args = ['detect', '-', '--json', ...LOW, '--draw', out];
  const done = await pipe(readFileSync(red), args);
  t.equal(done.status, 0, done.stderr);
  t.match(JSON.parse(done.stdout), { file: '-', model: 'finder_140', drawn: out });
  t.ok(existsSync(out));
  const nothing = await pipe(new Uint8Array(), ['detect', '-', '--json']);
  t.equal(nothing.status, 1);
  t.match(JSON.parse(nothing.stdout), { file: '-', error: { code: 'MND_IMAGE_INVALID' } });
});

t.test('a picture at an address; what an address may do wrong', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/red.png') response.end(readFileSync(red));
    else if (request.url === '/page') response.end('<!doctype html><p>hello');
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;
  const found = await run('detect', at('/red.png'), '--json', ...LOW);
  t.equal(found.status, 0, found.stderr);
  t.match(found.json()[0], { file: at('/red.png'), model: 'finder_140' });
  const paths = ['/page', '/nothing', '/loop', '/red.png'];
  const done = await run('detect', ...paths.map(at), '--json', ...LOW);
  t.equal(done.status, 66);
  t.same(
    done.json().map(({ error }) => (error as { code: string } | undefined)?.code ?? null),
    ['MND_INPUT_MISSING', 'MND_INPUT_MISSING', 'MND_INPUT_MISSING', null],
  );
  t.match(done.stderr, /MND_INPUT_MISSING: 3 of 4 pictures/);
  t.notMatch(done.stderr + done.stdout, /camera source failed/);
  const other = await run('detect', 'ftp://me:hidden@host/a.jpg', '--json');
  t.equal(other.status, 66);
  t.match(other.stderr, /an http or https address; found an address with ftp/);
  t.notMatch(other.stdout + other.stderr, 'hidden');
  const secret = await run('detect', `http://me:hidden@127.0.0.1:${port}/nothing`, '--json');
  t.notMatch(secret.stdout + secret.stderr, 'hidden');
});

t.test('pictures that fail have a line with a code, are named, and are counted', async (t) => {
  const dir = t.testdir({
    'phone.heic': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'),
    'old.bmp': Buffer.from('BM\x36\0\0\0\0\0\0\0', 'latin1'),
    'scan.jp2': Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'),
    'raw.ppm': 'P6 1 1 255 abc',
    'film.mp4': Buffer.from('\0\0\0\x20ftypisom\0\0\x02\0', 'latin1'),
    'page.jpg': '<!DOCTYPE html><p>',
    'half.png': readFileSync(red).subarray(0, 60),
  });
  const names = [
    'phone.heic',
    'old.bmp',
    'scan.jp2',
    'raw.ppm',
    'film.mp4',
    'page.jpg',
    'half.png',
  ];
  const files = names.map((name) => join(dir, name));
  const done = await run('detect', ...files, red, '--json', ...LOW);
  t.equal(done.status, 1);
  const failed = done.json().flatMap(({ error }) => (error === undefined ? [] : [error]));
  t.equal(failed.length, names.length);
  t.ok(failed.every((error) => (error as { code: string }).code === 'MND_IMAGE_INVALID'));
  for (const told of [
    /phone\.heic.*HEIC.*heif-convert/,
    /old\.bmp.*BMP.*FILE\.bmp FILE\.png/,
    /scan\.jp2.*JPEG 2000/,
    /raw\.ppm.*PPM/,
    /film\.mp4.*MP4.*ffmpeg/,
    /page\.jpg.*HTML.*browser/,
    /7 of 8 pictures/,
  ]) {
    t.match(done.stderr, told);
  }
});

t.test('what is no picture at all: expected, found, what to do, in words', async (t) => {
  const folder = t.testdir({ 'empty.jpg': '', 'text.jpg': 'no picture', folder: {} });
  const secret = join(folder, 'secret.jpg');
  writeFileSync(secret, readFileSync(red), { mode: 0o000 });
  for (const [file, told] of [
    ['none.jpg', /expected a picture; found nothing of this name in \/.*; look for a slip/],
    [join('none', 'a.jpg'), /found nothing of this name in \/.*none; look for a slip/],
    ['folder', /expected a picture; found a folder; name a file in it/],
    [join('empty.jpg', 'a.jpg'), /found a file where the path needs a folder/],
    ['x'.repeat(300), /found a name that is too long/],
    ['empty.jpg', /MND_IMAGE_INVALID.*found an empty file/],
    ['text.jpg', /MND_IMAGE_INVALID.*expected .*; found .*/],
    ['/dev/zero', /found a device, a pipe or a socket; name a file/],
    ['file:///etc/passwd', /expected a file, - for standard input.*found an address with file/],
    ...(process.getuid?.() === 0
      ? []
      : [['secret.jpg', /found no permission to read it/] as const]),
  ] as const) {
    const path = /^\/|:/.test(file) ? file : join(folder, file);
    const done = await run('detect', path, ...LOW);
    t.ok([1, 66].includes(done.status), file);
    t.match(done.stderr, told, file);
    t.notMatch(done.stderr, /\bE(NOENT|ISDIR|ACCES|NOTDIR|NAMETOOLONG)\b|MND_INTERNAL/, file);
    t.equal(done.stderr.trimEnd().split('\n').length, 1, 'one line');
  }
});
