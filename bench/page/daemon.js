import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MAIN, PROFILE } from './prepared.js';

export const FPS = 10;
/** Clock ticks a second of /proc (Linux has 100 everywhere). */
const TICKS = 100;

/**
 * @param listen address of the page; null: none
 * @returns the file
 */
export function writeConfig(state, node, { listen, model }, folder = state) {
  const file = join(folder, 'bench.yaml');
  const config = {
    node,
    state_dir: folder,
    models_dir: join(state, 'models'),
    log: { level: 'info', format: 'json' },
    model: { task: 'detect', name: model },
    governor: { enabled: false, pin: model },
    mqtt: { embedded: { listen: '127.0.0.1:0' } },
    status: { listen },
    cameras: { demo: { source: 'demo', size: [640, 480], fps: FPS } },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** The daemon as the unit starts it, in a state folder of its own. */
export async function startDaemon(state, node, { listen, model }) {
  const folder = join(state, node);
  // A database of an earlier run would be read, and swept, at the start.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  copyFileSync(join(state, PROFILE), join(folder, PROFILE));
  const file = writeConfig(state, node, { listen, model }, folder);
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=2', MAIN, 'run', '--config', file],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, MALLOC_ARENA_MAX: '2', MOBILENETD_STATE: folder },
    },
  );
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const urlOf = () => /"url":"(http:[^"]+)"/.exec(log)?.[1] ?? null;
  while (!log.includes('"msg":"started"') || (listen !== null && urlOf() === null)) {
    if (child.exitCode !== null) throw new Error(log);
    await delay(100);
  }
  return {
    url: urlOf(),
    usage: () => usageOf(child.pid),
    async end() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/**
 * Of all threads, those that have ended too; of the one that runs the network; and of all the others that there
 * are, in nanoseconds where the kernel counts ticks elsewhere (proc(5), schedstat).
 */
function usageOf(pid) {
  const read = (file) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => `task/${task}`);
  const isNetwork = (task) => read(`${task}/comm`) === 'inference\n';
  const network = tasks.find(isNetwork);
  const others = tasks.filter((task) => task !== network);
  const spent = others.map((task) => Number(read(`${task}/schedstat`).split(' ', 1)[0]) / 1e6);
  return {
    cpuMs: cpuMsOf(read('stat')),
    inferenceMs: network === undefined ? 0 : cpuMsOf(read(`${network}/stat`)),
    othersMs: spent.reduce((sum, each) => sum + each, 0),
    rssMb: (Number(/VmRSS:\s+(\d+)/.exec(read('status'))[1]) * 1024) / 1e6,
    writtenBytes: Number(/^write_bytes: (\d+)/m.exec(read('io'))[1]),
  };
}

function cpuMsOf(stat) {
  const fields = stat.split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}
