// What a start costs: node bench/start.js [OTHER [TURNS]] after a build. OTHER is the folder of another build (with
// its dist/ and node_modules/), which takes turns with this one. Node alone, three short commands (`status` asks a
// daemon that runs), and the daemon from its start to the line "started": processor time of all threads and time by
// the clock, medians (default 15 turns), and the ratio to OTHER. A network is installed and measured before.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [other, turns = 15] = process.argv.slice(2);
const OWN = fileURLToPath(new URL('..', import.meta.url));
const builds = { this: OWN, ...(other !== undefined && { other: resolve(other) }) };
/** Ticks of /proc/<pid>/stat in a second (USER_HZ, the same on every Linux). */
const TICKS = 100;

/** Tells at the end of a program what it took, as the last line of its standard error. */
const TELL = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    writeSync(2, '\\n' + (user + system) / 1000);
  });`)}`;

const work = mkdtempSync(join(tmpdir(), 'mobilenetd-start-'));
const zone = join(work, 'sys/class/thermal/thermal_zone0');
const config = join(work, 'config.yaml');
const children = new Set();
try {
  mkdirSync(zone, { recursive: true });
  writeFileSync(join(zone, 'type'), 'cpu-thermal\n');
  writeFileSync(join(zone, 'temp'), '48000\n');
  writeFileSync(
    config,
    'node: start\nstatus: { listen: "127.0.0.1:0" }\nmqtt: { embedded: { listen: "127.0.0.1:0" } }\n' +
      `governor: { sysfs_root: ${join(work, 'sys')} }\ncameras: { drawn: { source: demo } }\n`,
  );
  for (const words of [['pull'], ['bench', '--rounds', '1']]) {
    execFileSync(process.execPath, [mainOf(OWN), 'models', ...words, '--config', config], {
      env: { ...process.env, ...environment('daemon') },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  await measure();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
}

async function measure() {
  const figures = new Map();
  const add = (name, build, figure) => {
    const key = `${name}\n${build}`;
    figures.set(key, [...(figures.get(key) ?? []), figure]);
  };
  // The daemon that is asked is this build's for both.
  const asked = await startDaemon(OWN, 'daemon');
  const commands = {
    '--version': ['--version'],
    status: ['status', '--config', config],
    'config --check': ['config', '--check', '--config', config],
  };
  for (let turn = 0; turn < Number(turns); turn += 1) {
    for (const [build, folder] of inTurn(turn)) {
      if (build === 'this') add('node alone', build, run(['--eval', '0']));
      for (const [name, words] of Object.entries(commands)) {
        add(name, build, run([mainOf(folder), ...words]));
      }
    }
  }
  await asked.stop();
  for (let turn = 0; turn < Number(turns); turn += 1) {
    for (const [build, folder] of inTurn(turn)) {
      const daemon = await startDaemon(folder, 'daemon');
      add('run, to "started"', build, daemon.figure);
      await daemon.stop();
    }
  }
  report(figures);
}

function inTurn(turn) {
  const all = Object.entries(builds);
  return turn % 2 === 0 ? all : all.reverse();
}

function mainOf(folder) {
  return join(folder, 'dist/cli/main.js');
}

function environment(state) {
  return { PATH: process.env.PATH, HOME: work, MOBILENETD_STATE: join(work, state) };
}

/** A program from its start to its end, milliseconds. */
function run(words) {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--import', TELL, ...words], {
    env: environment('daemon'),
    encoding: 'utf8',
  });
  const wall = performance.now() - started;
  if (status !== 0) throw new Error(stderr);
  return { cpu: Number(stderr.trim().split('\n').at(-1)), wall };
}

/** The daemon, with what it took until it said that it had started. */
async function startDaemon(folder, state) {
  const started = performance.now();
  const child = spawn(process.execPath, [mainOf(folder), 'run', '--config', config], {
    env: environment(state),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.add(child);
  const exited = new Promise((done) => child.once('exit', done));
  void exited.then(() => children.delete(child));
  let log = '';
  const figure = await new Promise((done, fail) => {
    child.stderr.on('data', (chunk) => {
      log += chunk;
      if (!log.includes('"msg":"started"')) return;
      done({ cpu: processorOf(child.pid), wall: performance.now() - started });
    });
    void exited.then(() => fail(new Error(`the daemon ended:\n${log}`)));
  });
  const stop = () => {
    child.kill('SIGTERM');
    return exited;
  };
  return { figure, stop };
}

/** Processor time of a process with the children it has waited for, ms. */
function processorOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime and cstime (proc(5), fields 14 to 17).
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0);
  return (1000 * ticks) / TICKS;
}

function report(figures) {
  const names = new Set([...figures.keys()].map((key) => key.split('\n')[0]));
  for (const name of names) {
    const [own, before] = ['this', 'other'].map((build) => figures.get(`${name}\n${build}`));
    const parts = ['cpu', 'wall'].map((what) => {
      const value = median(own.map((figure) => figure[what]));
      if (before === undefined) return `${what} ${value.toFixed(0)} ms`;
      const earlier = median(before.map((figure) => figure[what]));
      return `${what} ${value.toFixed(0)} ms (other ${earlier.toFixed(0)}, ratio ${(value / earlier).toFixed(2)})`;
    });
    process.stdout.write(`${name.padEnd(20)} ${parts.join(', ')}\n`);
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
