// A Debian system with its own systemd, in systemd-nspawn, without a virtual machine.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cached } from '../deb/cache.mjs';

/** Why containers cannot run here; null when they can. */
export function whyNoContainer() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x64';
  if (process.getuid() !== 0) return 'it needs root';
  for (const tool of ['systemd-nspawn', 'mmdebstrap', 'nsenter', 'unshare']) {
    if (spawnSync(tool, ['--version']).error) return `${tool} is not installed`;
  }
  const probe = spawnSync('unshare', [
    '-m',
    '--propagation',
    'private',
    'mount',
    '-t',
    'tmpfs',
    'x',
    '/run',
  ]);
  return probe.status === 0 ? null : 'mounting is not allowed here';
}

/** A tar file with a minimal Debian, made once. */
export async function debianImage({ suite, packages, arch = 'amd64', variant = 'minbase' }) {
  const name = `debian/${suite}-${arch}-${variant}-${[...packages].sort().join('+').slice(0, 150)}`;
  const folder = await cached(name, (work) => {
    const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
    const args = ['--quiet', `--variant=${variant}`, `--architectures=${arch}`, ...include];
    execFileSync('mmdebstrap', [...args, suite, join(work, 'root.tar')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  });
  return join(folder, 'root.tar');
}

/** Unpacks an image into a folder of its own. */
export function unpackImage(image) {
  const root = mkdtempSync(join(tmpdir(), 'mobilenetd-container-'));
  execFileSync('tar', ['xf', image, '-C', root, '--numeric-owner']);
  return root;
}

/**
 * Boots the system in `root`. Its network is a loopback of its own unless `network` is true.
 * `capabilities` are given to it beyond the usual ones, as far as this process has them.
 *
 * @returns run(command…) with its output, start(command…) as a child, and stop()
 */
export async function bootContainer(root, { network = false, capabilities = [] } = {}) {
  writeFileSync(join(root, 'etc/machine-id'), '');
  const nspawn = [
    ...['systemd-nspawn', '--quiet', '--boot', '--register=no', '--keep-unit'],
    ...['--console=passive', '--resolv-conf=off', `--directory=${root}`],
    ...(network ? [] : ['--private-network']),
    ...capabilities.filter(isHeld).map((name) => `--capability=${name}`),
  ];
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"';
  const child = spawn(
    'unshare',
    ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', ...nspawn],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let console_ = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      console_ = (console_ + chunk).slice(-8000);
    });
  }
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const leader = await leaderOf(child, () => console_).catch((error) => {
    child.kill('SIGKILL');
    rmSync(root, { recursive: true, force: true });
    throw error;
  });
  const enter = ['-t', String(leader), '-m', '-u', '-i', '-n', '-p', '-C', '--'];
  const clean = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8', 'HOME=/root'];

  function run(command, { input, allowFailure = false } = {}) {
    const done = spawnSync('nsenter', [...enter, ...clean, 'sh', '-ec', command], {
      encoding: 'utf8',
      input: input ?? '',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (done.status !== 0 && !allowFailure) {
      throw new Error(`${command}: status ${done.status}\n${done.stdout}${done.stderr}`);
    }
    return done.stdout.trim();
  }
  const container = {
    root,
    leader,
    run,
    start: (...command) =>
      spawn('nsenter', [...enter, ...clean, ...command], { stdio: ['ignore', 'pipe', 'inherit'] }),
    /** Lets this systemd limit memory where the controller is one of version 1; why not, else null. */
    limitMemory() {
      const mounted = run(MOUNT_MEMORY, { allowFailure: true });
      return mounted.endsWith('ok')
        ? null
        : 'control groups with a memory controller are not to be had';
    },
    async stop() {
      const groups = existsSync(MEMORY) ? groupsOf(leader) : null;
      spawnSync('nsenter', [...enter, 'systemctl', 'poweroff', '--force', '--force'], {
        stdio: 'ignore',
      });
      if ((await Promise.race([exited, delay(10_000, 'late')])) === 'late') child.kill('SIGKILL');
      if (groups !== null) removeGroups(groups);
      rmSync(root, { recursive: true, force: true });
    },
  };
  for (let tries = 0; tries < 300; tries += 1) {
    const state = run('systemctl is-system-running || true', { allowFailure: true });
    if (['running', 'degraded'].includes(state)) return container;
    await delay(100);
  }
  await container.stop();
  throw new Error(`the container does not come up:\n${console_}`);
}

const MEMORY = '/sys/fs/cgroup/memory';
/** nspawn mounts the controllers of version 1 read-only; systemd looks for them when it is executed. */
const MOUNT_MEMORY = `
  grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null && echo ok && exit
  umount ${MEMORY} && mount -t cgroup -o memory memory ${MEMORY} && systemctl daemon-reexec && echo ok`;

/** Where a process' memory is accounted for, of version 1, seen from outside. */
function groupsOf(pid) {
  const path = /^\d+:memory:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  return path === undefined ? null : join(MEMORY, path, '..');
}

/** Groups that a systemd has made and left empty; the kernel keeps those that somebody uses. */
function removeGroups(folder) {
  for (const name of readdirSync(folder).filter((each) => /\.(slice|scope|mount)$/.test(each))) {
    const below = join(folder, name);
    spawnSync('find', [below, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
  }
}

/** Whether this process has a capability, by its number (capability.h). */
function isHeld(name) {
  const numbers = { CAP_SYS_TIME: 25, CAP_SYSLOG: 34 };
  const held = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return ((BigInt(`0x${held?.[1] ?? 0}`) >> BigInt(numbers[name])) & 1n) === 1n;
}

/** The process that is number 1 inside: the only child of nspawn that is an init. */
async function leaderOf(child, log) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`systemd-nspawn ended:\n${log()}`);
    for (const pid of descendants(child.pid)) {
      if (nameOf(pid) === 'systemd') return pid;
    }
    await delay(50);
  }
  throw new Error(`systemd does not start:\n${log()}`);
}

function nameOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function descendants(pid) {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(/\s+/),
    );
    return children.filter(Boolean).flatMap((child) => [Number(child), ...descendants(child)]);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
