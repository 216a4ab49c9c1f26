import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { startHttpCamera } from '../camera/http-camera.js';
import { eventually } from '../eventually.js';
import { broker, home, report } from '../integration/daemon-home.js';
import { MAIN } from '../integration/daemon-process.js';
import { makeMemoryGroup, whyNoMemoryGroup } from './memory-group.js';
import { soak } from './soak.js';

/** MemoryMax of the unit. */
const LIMIT = 600 * 1024 * 1024;
/** Afterwards it goes on until each picture was shown. */
const SECONDS = soak(4, 120);
const WORST = '38-bytes.webp';

t.setTimeout(900_000);

/** Draws the worst pictures we know into a folder; name → whether it must be refused. */
function drawPictures(folder: string): Readonly<Record<string, boolean>> {
  const program = 'test/fixtures/draw-worst-pictures.mjs';
  return JSON.parse(execFileSync(process.execPath, [program, folder], { encoding: 'utf8' }));
}

t.test(
  `${SECONDS} seconds of the twelve worst pictures under MemoryMax=600M`,
  { skip: whyNoMemoryGroup() ?? false, timeout: 900_000 },
  async (t) => {
    const { folder } = await home(t);
    const { url, listener } = await broker(t);
    const plain = join(folder, 'plain');
    const pictures = drawPictures(plain);
    t.equal(readFileSync(join(plain, WORST)).length, 38);
    t.equal(Object.keys(pictures).length, 12);
    const masked = join(folder, 'masked');
    cpSync(plain, masked, { recursive: true });
    const worst = readFileSync(join(plain, 'fine.jpg'));
    const sound = readFileSync(join(plain, 'sound.jpg'));
    let asked = 0;
    const camera = await startHttpCamera(t, (_request, response) => {
      asked += 1;
      response
        .writeHead(200, { 'Content-Type': 'image/jpeg' })
        .end(asked % 2 === 0 ? worst : sound);
    });
    const file = join(folder, 'config.yaml');
    writeFileSync(
      file,
      [
        'node: board',
        'model: { task: classify, name: random_v1 }',
        `mqtt: { url: "${url}" }`,
        'cameras:',
        `  plain: { source: files, path: ${plain}, fps: 20, loop: true }`,
        `  masked: { source: files, path: ${masked}, fps: 20, loop: true, rotation: 90, size: [3000, 4000],`,
        '    mask: [[[0, 0], [1, 0], [0.5, 0.5]]], motion: { enabled: true } }',
        `  still: { source: snapshot, url: "${camera.url('/')}", interval: 0.1 }`,
      ].join('\n'),
    );
    const group = makeMemoryGroup('mobilenetd', LIMIT);
    t.teardown(() => group.remove());
    const [shell = '', ...words] = [...group.wrap, process.execPath, MAIN, 'run', '--config', file];
    const child = spawn(shell, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // As the unit has it.
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        MOBILENETD_STATE: folder,
        MALLOC_ARENA_MAX: '2',
        NODE_OPTIONS: '--max-semi-space-size=2',
      },
    });
    const exited = once(child, 'exit');
    t.teardown(() => child.kill('SIGKILL'));
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    const labels = { plain: 0, masked: 0, still: 0 };
    listener.client.on('message', (topic) => {
      const name = /board\/(\w+)\/labels$/.exec(topic)?.[1];
      if (name === 'plain' || name === 'masked' || name === 'still') labels[name] += 1;
    });
    t.ok(await listener.until('plain/status', 'online'), log);
    const started = performance.now();
    while (performance.now() - started < SECONDS * 1000 && child.exitCode === null) {
      await delay(1000);
    }
    t.equal(child.exitCode, null, `it lives. ${log.slice(-2000)}`);
    const isNamed = ([name, refused]: [string, boolean]) =>
      !refused || [plain, masked].every((where) => log.includes(`${where}/${name}: `));
    const hasSeenAll = () =>
      Object.entries(pictures).every(isNamed) && Object.values(labels).every((count) => count > 10);
    t.ok(await eventually(hasSeenAll), `all were shown. ${JSON.stringify(labels)}`);
    const before = { ...labels };
    t.ok(await eventually(() => labels.plain > before.plain), 'and still labels');
    const { running, rss_mb: rss } = await report(folder);
    t.match(running?.cameras, [{ status: 'online' }, { status: 'online' }, { status: 'online' }]);
    t.ok(labels.plain > 10 && labels.masked > 10 && labels.still > 10, JSON.stringify(labels));
    const hwm = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    child.kill('SIGTERM');
    const [code] = await exited;
    t.equal(code, 0, log.slice(-2000));
    t.equal(group.kills(), 0, 'nothing was killed for its memory');
    t.comment(
      `peak: ${Math.round(group.peak() / 1e6)} MB with the page cache, ${Math.round(Number(hwm) / 1e3)} MB resident; ${rss} MB at the end; ${JSON.stringify(labels)} labelled`,
    );
    t.ok(Number(hwm) * 1024 < LIMIT, `${hwm} kB resident at most`);
    for (const [name, refused] of Object.entries(pictures)) {
      for (const where of [plain, masked]) {
        const times = log.split('\n').filter((line) => line.includes(`${where}/${name}: `)).length;
        if (refused) t.equal(times, 1, `${where}/${name} is named once`);
        else t.ok(times <= 1, `${where}/${name} is named at most once, ${times}`);
      }
    }
    t.notMatch(log, /sound\.jpg: /, 'the good one is not refused');
  },
);
