// What the daemon holds of the machine's memory, and how that changes: `node bench/memory.js [--minutes N]
// [--deb FILE] [--csv FILE]` after a build. The default detector looks at one USB camera (MJPEG, 640 × 480),
// with the unit's variables, a broker beside it and a fresh database. Without --deb it is this tree with this
// Node; with it, what the package installs, with the Node that it brings. The network is installed and measured
// and the daemon started once before, so that what is measured is a start as on every other day; with --first-day
// the daemon measures it, half a minute after its start. Prints a row every
// half minute or so, the curve, the largest mappings, and three bars; ends with 1 when one is missed.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';
import { startEmbeddedBroker } from '../dist/mqtt/broker/embedded.js';
import { childrenOf, mappingsOf, memoryOf, processorOf } from './memory/maps.js';
import { DEVICE, environmentOfUnit, installCamera, LABEL } from './memory/rig.js';

/** Bytes at the end and at any time after the first minute, and seconds from the start to the first label. */
const BARS = { all: 130e6, own: 60e6, firstLabel: 2 };
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    deb: { type: 'string' },
    // An unpacked /usr/lib/mobilenetd in its place.
    program: { type: 'string' },
    // A state folder with the network that stays.
    state: { type: 'string' },
    csv: { type: 'string' },
    'first-day': { type: 'boolean', default: false },
    // Variables over those of the unit, for trying them: --set MALLOC_ARENA_MAX=1
    set: { type: 'string', multiple: true, default: [] },
    // Flags of Node, for the same: --flag=--no-opt
    flag: { type: 'string', multiple: true, default: [] },
  },
});
const seconds = Number(values.minutes) * 60;
const STEP_S = Math.max(5, Math.min(30, seconds / 60));
const BLOCKS = '▁▂▃▄▅▆▇█';

const work = mkdtempSync(join(tmpdir(), 'mobilenetd-memory-'));
const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
let child = null;
let missed = false;
try {
  await measure();
} finally {
  child?.kill('SIGKILL');
  await broker.close();
  rmSync(work, { recursive: true, force: true });
}
process.exit(missed ? 1 : 0);

async function measure() {
  const program = programOf(values);
  const env = {
    HOME: work,
    LANG: 'C.UTF-8',
    ...environmentOfUnit(),
    PATH: installCamera(join(work, 'bin')),
    MOBILENETD_STATE: resolve(values.state ?? join(work, 'state')),
    ...Object.fromEntries(values.set.map((text) => text.split(/=(.*)/s).slice(0, 2))),
  };
  const zone = join(work, 'sys/class/thermal/thermal_zone0');
  mkdirSync(zone, { recursive: true });
  writeFileSync(join(zone, 'type'), 'cpu-thermal\n');
  writeFileSync(join(zone, 'temp'), '48000\n');
  writeFileSync(
    join(work, 'config.yaml'),
    `node: memory\nmqtt: { url: "${broker.url}" }\nstatus: { listen: "127.0.0.1:0" }\n` +
      `governor: { sysfs_root: ${join(work, 'sys')} }\n` +
      `cameras: { desk: { source: v4l2, device: ${DEVICE}, input_format: mjpeg, size: [640, 480] } }\n`,
  );
  const once = [['pull'], ...(values['first-day'] ? [] : [['bench', '--rounds', '1']])];
  for (const words of once) {
    execFileSync(program[0], [...program.slice(1), 'models', ...words], {
      env: { ...process.env, MOBILENETD_STATE: env.MOBILENETD_STATE },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const client = await mqtt.connectAsync(broker.url);
  await client.subscribeAsync(`mobilenetd/memory/desk/${LABEL}`);
  await start(program, env, client);
  await stop();
  await client.publishAsync(`mobilenetd/memory/desk/${LABEL}`, '', { retain: true });
  const firstLabel = await start(program, env, client);
  const rows = await watch(child.pid);
  report(rows, firstLabel);
  await client.endAsync();
  await stop();
}

/** The program with its Node: of this tree, or of a package. */
function programOf({ deb, program }) {
  if (deb === undefined && program === undefined) {
    return [process.execPath, fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))];
  }
  if (deb !== undefined) execFileSync('dpkg-deb', ['-x', deb, join(work, 'root')]);
  const folder = program ?? join(work, 'root/usr/lib/mobilenetd');
  return [join(folder, 'node/bin/node'), join(folder, 'dist/cli/main.js')];
}

/** Starts the daemon; resolves with the seconds until its first label was at the broker. */
async function start([node, main], env, client) {
  const started = performance.now();
  let log = '';
  const seen = new Promise((resolve) => {
    const listen = (_topic, payload) => {
      if (payload.toString() !== 'ON') return;
      client.off('message', listen);
      resolve((performance.now() - started) / 1000);
    };
    client.on('message', listen);
  });
  const words = [...values.flag, main, 'run', '--config', join(work, 'config.yaml')];
  child = spawn(node, words, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-4000);
  });
  const ended = new Promise((_, reject) => {
    child.once('exit', (status) => reject(new Error(`the daemon ended with ${status}:\n${log}`)));
  });
  ended.catch(() => {});
  return await Promise.race([seen, ended]);
}

async function stop() {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

/** A row every few seconds: what it holds then. */
async function watch(pid) {
  const begun = performance.now();
  const rows = [];
  do {
    await delay(STEP_S * 1000);
    const memory = memoryOf(pid);
    if (memory === null) throw new Error('the daemon ended');
    rows.push({ at: (performance.now() - begun) / 1000, ...memory, processor: processorOf(pid) });
  } while ((performance.now() - begun) / 1000 < seconds);
  return rows;
}

function report(rows, firstLabel) {
  const last = rows.at(-1);
  const late = rows.filter(({ at }) => at >= Math.min(60, seconds / 2));
  const [first] = rows;
  const table = [
    ['s', 'all', 'own', 'files'],
    ...rows.map((row) => [row.at.toFixed(0), mb(row.all), mb(row.own), mb(row.files)]),
  ];
  if (values.csv !== undefined) {
    writeFileSync(values.csv, `${table.map((row) => row.join(',')).join('\n')}\n`);
  }
  for (const row of table) print(row.map((cell) => cell.padStart(8)).join(''));
  for (const name of ['all', 'own'])
    print(`${name.padStart(5)} ${curve(rows.map((row) => row[name]))}`);
  print('\nresident MB, of it written to, by mapping');
  for (const { name, resident, own } of mappingsOf(child.pid).slice(0, 16)) {
    print(`${mb(resident).padStart(7)} ${mb(own).padStart(7)}  ${name}`);
  }
  for (const { name, memory } of childrenOf(child.pid))
    print(`a child, not counted: ${name} ${mb(memory?.all ?? 0)} MB`);
  const used = (last.processor - first.processor) / (last.at - first.at || 1);
  print(`processor, of one core: ${(100 * used).toFixed(1)} %\n`);
  const most = (name) => Math.max(...late.map((row) => row[name]));
  bar(
    'in memory',
    mb(most('all')),
    'MB',
    most('all') <= BARS.all,
    `at most ${mb(BARS.all)}, now ${mb(last.all)}`,
  );
  bar(
    'of it its own',
    mb(most('own')),
    'MB',
    most('own') <= BARS.own,
    `at most ${mb(BARS.own)}, now ${mb(last.own)}`,
  );
  bar(
    'start to the first label',
    firstLabel.toFixed(2),
    's',
    firstLabel <= BARS.firstLabel,
    `at most ${BARS.firstLabel}`,
  );
}

/** Heights between the least and the most, one sign a row, at most 100 of them. */
function curve(numbers) {
  const every = Math.ceil(numbers.length / 100);
  const shown = numbers.filter((_, index) => index % every === 0);
  const [least, most] = [Math.min(...shown), Math.max(...shown)];
  const signs = shown.map(
    (value) => BLOCKS[Math.floor(((value - least) / (most - least || 1)) * 7.99)],
  );
  return `${mb(least)} ${signs.join('')} ${mb(most)} MB`;
}

function mb(bytes) {
  return (bytes / 1e6).toFixed(1);
}

function print(text) {
  process.stdout.write(`${text}\n`);
}

function bar(name, value, unit, holds, text) {
  if (!holds) missed = true;
  print(`${holds ? 'ok' : 'NOT ok'} - ${name}: ${value} ${unit} (${text})`);
}
