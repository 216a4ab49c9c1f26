// What the daemon costs while nothing moves: `node bench/idle.js [SECONDS [SETTLING]]` after a build. A made-up
// rpicam-vid delivers the same picture, with a label in it, ten times a second, the motion gate is on, the
// governor reads a made-up sensor, systemd-notify reports to a socket, and a broker listens. Prints CPU time,
// bytes written to disk (and the files of the state folder that changed), and the time from start to READY (a
// labelled frame), each with its bar; ends with 1 when one is missed. The model is installed, measured
// (`models bench`) and run once before that, which does not count: a board measures its forms once. Meant for
// a machine that does nothing else: other load is heat to come, for which the governor takes smaller rungs.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import sharp from 'sharp';
import { toYuv420p } from '../dist/cli/bench-frames.js';
import { startEmbeddedBroker } from '../dist/mqtt/broker/embedded.js';

const BARS = { cpuPercent: 2, writtenBytes: 0, readySeconds: 5 };
/** The first minutes have writes of their own: the ladder, the governor's first rows, a checkpoint. */
const SETTLE_SECONDS = Number(process.argv[3] ?? 100);
const seconds = Number(process.argv[2] ?? 60);
const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
/** Ticks of /proc/<pid>/stat in a second (USER_HZ, the same on every Linux). */
const TICKS = 100;

const PHOTO = fileURLToPath(new URL('../assets/demo/coffee.jpg', import.meta.url));
/** What is seen in it. */
const LABEL = 'cup';

/** Writes one picture of 640 × 480 (yuv420p, rows of 640), ten times a second, as rpicam-vid does. */
const CAMERA = `#!${process.execPath}
const size = (name) => Number(new RegExp('--' + name + '[= ](\\\\d+)').exec(process.argv.join(' '))[1]);
if (size('width') !== 640 || size('height') !== 480) throw new Error('another size was asked for');
const picture = require('node:fs').readFileSync(require('node:path').join(__dirname, 'picture'));
setInterval(() => process.stdout.write(picture), 100);
process.on('SIGINT', () => process.exit(0));
`;
/** Takes what systemd-notify sends, as the service manager would. */
const RECEIVER = `use Socket; $| = 1; socket(my $s, AF_UNIX, SOCK_DGRAM, 0);
bind($s, pack('S a*', AF_UNIX, $ARGV[0]));
while (defined recv($s, my $text, 4096, 0)) { print "ready\\n" if $text =~ /^READY=1/m; }`;

const work = mkdtempSync(join(tmpdir(), 'mobilenetd-idle-'));
const children = [];
const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
let missed = false;
try {
  const camera = join(work, 'bin', 'rpicam-vid');
  mkdirSync(join(work, 'bin'));
  writeFileSync(camera, CAMERA);
  chmodSync(camera, 0o755);
  writeFileSync(join(work, 'bin/picture'), await picture());
  const zone = join(work, 'sys/class/thermal/thermal_zone0');
  mkdirSync(zone, { recursive: true });
  writeFileSync(join(zone, 'type'), 'cpu-thermal\n');
  writeFileSync(join(zone, 'temp'), '48000\n');
  const socket = join(work, 'notify');
  const manager = spawn('perl', ['-e', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(manager);
  const env = {
    PATH: `${join(work, 'bin')}:${process.env.PATH}`,
    HOME: work,
    MOBILENETD_STATE: join(work, 'state'),
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: '30000000',
    MALLOC_ARENA_MAX: '2',
    NODE_OPTIONS: '--max-semi-space-size=2',
  };
  writeFileSync(
    join(work, 'config.yaml'),
    `node: idle\nmqtt: { url: "${broker.url}" }\ngovernor: { sysfs_root: ${join(work, 'sys')} }\n` +
      'cameras: { front: { source: libcamera, size: [640, 480], fps: 10, motion: { enabled: true } } }\n',
  );
  execFileSync(process.execPath, [MAIN, 'models', 'pull'], {
    env: { ...process.env, MOBILENETD_STATE: env.MOBILENETD_STATE },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // Without a profile the daemon measures its forms by itself, and writes them down in the quiet minute.
  execFileSync(process.execPath, [MAIN, 'models', 'bench', '--rounds', '3'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await (await run(env, manager)).stop(5);

  const client = await mqtt.connectAsync(broker.url);
  const values = new Map();
  client.on('message', (topic, payload) => values.set(topic, payload.toString()));
  await client.subscribeAsync('mobilenetd/idle/#');
  const daemon = await run(env, manager);
  await delay(SETTLE_SECONDS * 1000);
  const before = usage(daemon.pid);
  const filesBefore = files();
  await delay(seconds * 1000);
  const after = usage(daemon.pid);
  const changed = Object.entries(files()).filter(([file, state]) => filesBefore[file] !== state);
  const cpuPercent = (100 * (after.ticks - before.ticks)) / TICKS / seconds;
  const writtenBytes = after.written - before.written;
  await client.endAsync();
  await daemon.stop(0);
  show(
    'start to READY (a labelled frame)',
    daemon.readySeconds.toFixed(1),
    's',
    daemon.readySeconds < BARS.readySeconds,
    `under ${BARS.readySeconds}`,
  );
  process.stdout.write(`# processor time until then: ${daemon.readyCpuSeconds.toFixed(1)} s\n`);
  show(
    'processor, of one core',
    cpuPercent.toFixed(2),
    '%',
    cpuPercent < BARS.cpuPercent,
    `under ${BARS.cpuPercent}`,
  );
  show(
    `written to disk in ${seconds} s`,
    writtenBytes,
    'bytes',
    writtenBytes <= BARS.writtenBytes,
    'none',
  );
  for (const [file] of changed) process.stdout.write(`# changed: ${file}\n`);
  const seen = values.get(`mobilenetd/idle/front/${LABEL}`);
  show(`${LABEL} at the broker`, seen, '', seen === 'ON', 'ON');
} finally {
  for (const child of children) child.kill('SIGKILL');
  await broker.close();
  rmSync(work, { recursive: true, force: true });
}
process.exit(missed ? 1 : 0);

async function run(env, manager) {
  const started = performance.now();
  const child = spawn(process.execPath, [MAIN, 'run', '--config', join(work, 'config.yaml')], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const ready = once(manager.stdout, 'data').then(() => true);
  if ((await Promise.race([ready, exited])) !== true) throw new Error(`the daemon ended: ${log}`);
  const readySeconds = (performance.now() - started) / 1000;
  return {
    pid: child.pid,
    readySeconds,
    readyCpuSeconds: usage(child.pid).ticks / TICKS,
    async stop(after) {
      await delay(after * 1000);
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Processor time and bytes sent to the disk of a process, with the children it has waited for. */
function usage(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime and cstime (proc(5), fields 14 to 17).
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0);
  const written = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'));
  return { ticks, written: Number(written?.[1]) };
}

/** The photo as a camera delivers it. */
async function picture() {
  const [width, height] = [640, 480];
  const shape = { width, height, fit: 'cover' };
  const rgb = await sharp(PHOTO).resize(shape).removeAlpha().raw().toBuffer();
  return toYuv420p(rgb, width, height);
}

/** Size and time of change of every file in the state folder. */
function files() {
  const folder = join(work, 'state');
  const names = readdirSync(folder, { recursive: true });
  return Object.fromEntries(
    names.flatMap((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      return [[name, `${size} ${mtimeMs}`]];
    }),
  );
}

function show(name, value, unit, holds, bar) {
  if (!holds) missed = true;
  process.stdout.write(`${holds ? 'ok' : 'NOT ok'} - ${name}: ${value} ${unit} (bar: ${bar})\n`);
}
