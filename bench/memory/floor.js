// What a process holds that has nothing of this program but what it stands on: `node bench/memory/floor.js
// [--program DIR] [--state DIR] [--session JSON]`, with the unit's variables where none are set. Node, onnxruntime with the default detector as the daemon
// opens it, sharp with a picture of a camera, SQLite: a row each, of what it adds. With --program (an unpacked
// /usr/lib/mobilenetd) it is the package's Node and modules, else this tree's.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mappingsOf, memoryOf } from './maps.js';
import { environmentOfUnit } from './rig.js';

const MODEL = 'ssdlite_mobilenet_v2_coco/model.reduced.onnx';
const SIDE = 300;
const RUNS = 20;
const FRAME = { width: 640, height: 480, channels: 3, background: '#c08040' };
const root = fileURLToPath(new URL('../..', import.meta.url));
const INSIDE = 'MEMORY_FLOOR_MODELS';

if (process.env[INSIDE] === undefined) measure();
else await fill(process.env[INSIDE], process.argv[2], JSON.parse(process.argv[3]));

/** Runs this file again, as the service runs the daemon. */
function measure() {
  const { values } = parseArgs({
    options: {
      program: { type: 'string' },
      state: { type: 'string' },
      // Options of onnxruntime, for trying them.
      session: { type: 'string', default: '{}' },
    },
  });
  const work = mkdtempSync(join(tmpdir(), 'mobilenetd-floor-'));
  const state = resolve(values.state ?? work);
  const program = resolve(values.program ?? root);
  const node = values.program === undefined ? process.execPath : join(program, 'node/bin/node');
  try {
    execFileSync(node, [join(program, 'dist/cli/main.js'), 'models', 'pull'], {
      env: { ...process.env, MOBILENETD_STATE: state },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    execFileSync(node, ['--expose-gc', fileURLToPath(import.meta.url), program, values.session], {
      env: { ...environmentOfUnit(), ...process.env, [INSIDE]: join(state, 'models') },
      stdio: 'inherit',
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fill(models, program, options) {
  const require = createRequire(join(program, 'package.json'));
  let before = { all: 0, own: 0, files: 0 };
  const row = (name, now) =>
    `${[now.all, now.own, now.files].map((bytes) => (bytes / 1e6).toFixed(1).padStart(8)).join('')}  ${name}\n`;
  const tell = async (name) => {
    // What an addon has made is given back after the turn in which it was found to be garbage.
    for (let turn = 0; turn < 3; turn += 1) {
      globalThis.gc();
      await delay(50);
    }
    const now = memoryOf(process.pid);
    const added = Object.fromEntries(Object.keys(now).map((key) => [key, now[key] - before[key]]));
    process.stdout.write(row(name, added));
    before = now;
  };
  process.stdout.write('     all     own   files  MB\n');
  await tell('Node');
  const ort = require('onnxruntime-node');
  await tell('onnxruntime');
  const session = await ort.InferenceSession.create(join(models, MODEL), {
    executionProviders: ['cpu'],
    enableMemPattern: false,
    intraOpNumThreads: 2,
    logSeverityLevel: 3,
    ...options,
  });
  await tell('the default detector');
  const picture = new ort.Tensor('uint8', new Uint8Array(SIDE * SIDE * 3), [1, SIDE, SIDE, 3]);
  for (let run = 0; run < RUNS; run += 1) await session.run({ [session.inputNames[0]]: picture });
  await tell(`${RUNS} runs of it`);
  const sharp = require('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  let jpeg = await sharp({ create: FRAME }).jpeg().toBuffer();
  for (let run = 0; run < RUNS; run += 1) {
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    jpeg = await sharp(data, { raw: info }).jpeg().toBuffer();
  }
  await tell('sharp, pictures read and written');
  const Database = require('better-sqlite3');
  new Database(':memory:').exec('create table floor (id integer)');
  await tell('SQLite');
  process.stdout.write(`${row('together', before)}\nits own MB, by mapping\n`);
  for (const { name, own } of mappingsOf(process.pid).filter((each) => each.own > 1e6)) {
    process.stdout.write(`${(own / 1e6).toFixed(1).padStart(8)}  ${name}\n`);
  }
}
