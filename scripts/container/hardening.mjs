// Every line of the unit that restricts the daemon, and what shows that it does.
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ia32Program } from './ia32.mjs';
import { lookAt } from './running.mjs';

/** Keys of lines that restrict nothing: what runs, when, where, and with which secrets. */
const OTHERS = new Set(
  `Type NotifyAccess ExecStart ExecReload Restart SuccessExitStatus RestartSec RestartPreventExitStatus TimeoutStartSec
   TimeoutStopSec WatchdogSec KillMode StateDirectory RuntimeDirectory ConfigurationDirectory
   LoadCredential SetCredential Environment`.split(/\s+/),
);
/** Address families and socket types (socket(2)). */
const [UNIX, INET, NETLINK, INET6, PACKET] = [1, 2, 16, 10, 17];
const [STREAM, RAW] = [1, 3];
const FOLDER = '/opt/probe';
const SEGMENTS = { kept: 0x6d6e01, removed: 0x6d6e02 };

/**
 * By line: `tries` are actions of probe.pl that succeed without the line, fail with it alone, and fail
 * with the whole unit; `allows` those that succeed with the whole unit all the same. `daemon` looks at
 * the running daemon. `shown` is what the manager says of it, for what cannot be tried in a container.
 */
const PROBES = {
  'User=mobilenetd': { tries: ['read:/etc/shadow'], daemon: (d) => d.status.Uid.includes(d.uid) },
  'Group=mobilenetd': { daemon: (d) => d.status.Gid.includes(d.gid) },
  'SupplementaryGroups=video render': {
    daemon: (d) => d.extra.every((gid) => d.status.Groups.includes(gid)),
  },
  'StateDirectoryMode=0750': { daemon: (d) => d.modeOf('/var/lib/mobilenetd') === '750' },
  'RuntimeDirectoryMode=0750': { daemon: (d) => d.modeOf('/run/mobilenetd') === '750' },
  'ConfigurationDirectoryMode=0750': { daemon: (d) => d.modeOf('/etc/mobilenetd') === '750' },
  'Nice=5': { daemon: (d) => d.nice === '5' },
  'CPUWeight=50': { shown: '50' },
  'MemoryHigh=400M': { shown: String(400 * 2 ** 20) },
  'MemoryMax=600M': { shown: String(600 * 2 ** 20) },
  'OOMPolicy=continue': { shown: 'continue' },
  'OOMScoreAdjust=200': { daemon: (d) => d.oomScore === '200' },
  'TasksMax=200': { shown: '200' },
  'UMask=0077': { tries: ['shared'], daemon: (d) => d.status.Umask.includes('0077') },
  'NoNewPrivileges=yes': {
    tries: [`become_root:${FOLDER}/id`],
    daemon: (d) => d.status.NoNewPrivs.includes('1'),
  },
  'CapabilityBoundingSet=': {
    tries: ['chown'],
    daemon: (d) => ['CapBnd', 'CapEff', 'CapPrm'].every((set) => /^0+$/.test(d.status[set])),
  },
  'AmbientCapabilities=': { daemon: (d) => /^0+$/.test(d.status.CapAmb) },
  'ProtectSystem=strict': {
    tries: ['/usr', '/etc', '/opt', '/var/lib', '/srv'].map((folder) => `write:${folder}`),
    allows: ['write:/var/lib/mobilenetd', 'write:/run/mobilenetd', 'write:/tmp'],
    daemon: (d) => d.mountOf('/usr').includes('ro') && d.mountOf('/').includes('ro'),
  },
  'ProtectHome=yes': {
    tries: ['read:/home/probe', 'read:/root/probe'],
    daemon: (d) => d.sees('/home/probe') === 'no' && d.sees('/root/probe') === 'no',
  },
  'PrivateTmp=yes': {
    tries: ['exists:/tmp/probe'],
    daemon: (d) => d.sees('/tmp/probe') === 'no',
  },
  'ProtectKernelTunables=yes': {
    tries: ['rewrite:/proc/sys/net/ipv4/ip_default_ttl'],
    daemon: (d) => d.mountOf('/proc/sys').includes('ro') && d.mountOf('/sys').includes('ro'),
  },
  'ProtectKernelModules=yes': {
    tries: ['read:/usr/lib/modules/probe'],
    daemon: (d) => d.sees('/usr/lib/modules/probe') === 'no',
  },
  'ProtectKernelLogs=yes': { tries: ['log'] },
  'ProtectControlGroups=yes': {
    tries: ['cgroup'],
    daemon: (d) => d.mountOf('/sys/fs/cgroup').includes('ro'),
  },
  'ProtectClock=yes': { tries: ['clock'] },
  'ProtectHostname=yes': { tries: ['hostname'], daemon: (d) => d.ownNamespace('uts') },
  'ProtectProc=invisible': {
    tries: ['foreign:1'],
    daemon: (d) => d.mountOf('/proc').includes('hidepid=invisible'),
  },
  'RemoveIPC=yes': { special: removesSegments },
  'PrivateIPC=yes': {
    tries: ['namespace:ipc:$ipc'],
    daemon: (d) => d.ownNamespace('ipc'),
  },
  // Its system calls are closed to the whole container.
  'KeyringMode=private': { shown: 'private' },
  'RestrictNamespaces=yes': { tries: ['unshare'] },
  'RestrictRealtime=yes': { tries: ['realtime'] },
  'RestrictSUIDSGID=yes': { tries: ['setuid'] },
  'LockPersonality=yes': { tries: ['personality'] },
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK': {
    tries: [`socket:${PACKET}:${RAW}`],
    allows: [UNIX, INET, INET6]
      .map((family) => `socket:${family}:${STREAM}`)
      .concat(`socket:${NETLINK}:${RAW}`),
  },
  'SystemCallArchitectures=native': { tries: [`runs:${FOLDER}/ia32`] },
  'SystemCallFilter=@system-service @pkey': {
    tries: ['trace'],
    allows: ['pkey'],
    daemon: (d) => d.status.Seccomp.includes('2'),
  },
  'SystemCallFilter=~@privileged': { tries: ['chroot'] },
  'SystemCallErrorNumber=EPERM': { special: refusesInsteadOfKilling },
};

/** What not every kernel or container allows: where it does not work without the line either, that is said. */
const OPTIONAL = [`runs:${FOLDER}/ia32`, 'clock', 'log', 'realtime'];

/**
 * Holds the unit of the running daemon to the table. What it looks for was there when that started:
 * {@link prepareHardening}.
 *
 * @param check (holds, text) reports
 */
export function checkHardening(container, check) {
  const unit = readFileSync(
    join(container.root, 'usr/lib/systemd/system/mobilenetd.service'),
    'utf8',
  );
  const lines = serviceLines(unit);
  const restricting = lines.filter((line) => !OTHERS.has(keyOf(line)));
  const without = restricting.filter((line) => PROBES[line] === undefined);
  check(without.length === 0, `every restricting line has a probe ${without.join(', ')}`);
  const stale = Object.keys(PROBES).filter((line) => !lines.includes(line));
  check(stale.length === 0, `and every probe has its line ${stale.join(', ')}`);
  const daemon = lookAt(container);
  const ran = runProbes(container, restricting, lines);
  for (const line of restricting) judge(line, { container, daemon, ran, check });
}

function judge(line, { container, daemon, ran, check }) {
  const probe = PROBES[line];
  if (probe === undefined) return;
  const faults = [];
  const notes = [];
  for (const action of probe.tries ?? []) {
    const [free, alone, whole] = [ran.free, ran.alone(line), ran.whole].map((all) =>
      all.get(action),
    );
    if (free !== 'ok' && OPTIONAL.includes(action)) {
      notes.push(`not to be tried here: ${free}`);
      continue;
    }
    if (free !== 'ok') faults.push(`${action} does not work without it: ${free}`);
    if (alone === 'ok') faults.push(`${action} works in spite of it`);
    if (whole === 'ok') faults.push(`${action} works in spite of the whole unit`);
    notes.push(`${action}: ${alone ?? 'killed'}`);
  }
  for (const action of probe.allows ?? []) {
    const [free, whole] = [ran.free.get(action), ran.whole.get(action)];
    if (whole === 'ok') notes.push(`${action} works`);
    else if (free === 'ok') faults.push(`${action} is needed: ${whole}`);
    else notes.push(`${action} is closed to the container`);
  }
  if (probe.daemon !== undefined) {
    if (probe.daemon(daemon)) notes.push('seen at the daemon');
    else faults.push('not seen at the daemon');
  }
  const shown = daemon.show(keyOf(line));
  if (probe.shown !== undefined && shown !== probe.shown) faults.push(`the manager says ${shown}`);
  if (probe.shown !== undefined) notes.push('the manager says so');
  if (probe.special !== undefined) {
    const fault = probe.special(container);
    if (fault === null) notes.push('tried with and without');
    else faults.push(fault);
  }
  check(faults.length === 0, `${line} (${[...faults, ...notes].join('; ')})`);
}

function serviceLines(unit) {
  const section = unit.slice(unit.indexOf('[Service]'), unit.indexOf('[Install]'));
  return section.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));
}

function keyOf(line) {
  return line.slice(0, line.indexOf('='));
}

/** Makes what the probes look for, and the programs they run. */
export function prepareHardening({ root, run }) {
  const folder = join(root, FOLDER);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  copyFileSync(fileURLToPath(new URL('probe.pl', import.meta.url)), join(folder, 'probe.pl'));
  writeFileSync(join(folder, 'ia32'), ia32Program());
  chmodSync(join(folder, 'ia32'), 0o755);
  run(
    `cp /usr/bin/id ${FOLDER}/id; chmod 4755 ${FOLDER}/id; mkdir -p /usr/lib/modules;
     for file in /home/probe /root/probe /tmp/probe /usr/lib/modules/probe; do echo secret >$file; done`,
  );
}

/** Runs the actions without any line, with each line alone, and with the whole unit; all at once. */
function runProbes(container, restricting, lines) {
  const { run } = container;
  const ipc = /\[(\d+)\]/.exec(run('readlink /proc/1/ns/ipc'))[1];
  const actual = (action) => action.replace('$ipc', ipc);
  const tried = restricting.filter((line) => PROBES[line]?.tries !== undefined);
  const all = restricting.flatMap((line) => [
    ...(PROBES[line]?.tries ?? []),
    ...(PROBES[line]?.allows ?? []),
  ]);
  const skipped =
    /^(Type|NotifyAccess|Exec\w+|Restart\w*|SuccessExitStatus|WatchdogSec|Timeout\w+|KillMode)=/;
  const whole = lines.filter((line) => !skipped.test(line));
  const units = new Map([
    ['free', { lines: [], actions: all }],
    // The daemon's own folder below /run must not go when the probe ends.
    ['whole', { lines: [...whole, 'RuntimeDirectoryPreserve=yes'], actions: all }],
    ...tried.map((line, index) => [
      `alone${index}`,
      { lines: [line], actions: PROBES[line].tries },
    ]),
  ]);
  for (const [name, { lines: chosen, actions }] of units) {
    writeUnit(container, name, chosen, actions.map(actual));
  }
  start(container, [...units.keys()]);
  const results = (name) =>
    new Map(
      units.get(name).actions.map((action) => [action, resultOf(container, name, actual(action))]),
    );
  return {
    free: results('free'),
    whole: results('whole'),
    alone: (line) => results(`alone${tried.indexOf(line)}`),
  };
}

function writeUnit({ root }, name, lines, actions) {
  const text =
    `[Service]\nType=oneshot\n${lines.join('\n')}\nStandardOutput=file:${FOLDER}/${name}.out\n` +
    `ExecStart=/usr/bin/perl ${FOLDER}/probe.pl ${actions.join(' ')}\n`;
  writeFileSync(join(root, 'etc/systemd/system', `probe-${name}.service`), text);
}

function start({ run }, names) {
  const units = names.map((name) => `probe-${name}.service`).join(' ');
  // Those that are killed fail.
  run(`systemctl daemon-reload; systemctl start ${units}`, { allowFailure: true });
}

/** What probe.pl said of an action; undefined if it was killed before. */
function resultOf({ root }, name, action) {
  const lines = readFileSync(join(root, FOLDER, `${name}.out`), 'utf8').split('\n');
  return lines.find((line) => line.startsWith(`${action} `))?.slice(action.length + 1);
}

function removesSegments(container) {
  const { kept, removed } = SEGMENTS;
  writeUnit(container, 'kept', ['User=games'], [`memory:${kept}`]);
  writeUnit(container, 'removed', ['User=games', 'RemoveIPC=yes'], [`memory:${removed}`]);
  const { run } = container;
  const present = () =>
    run('cat /proc/sysvipc/shm')
      .split('\n')
      .map((line) => Number(line.trim().split(/\s+/)[0]));
  start(container, ['kept']);
  if (!present().includes(kept)) return 'shared memory does not outlive its process without it';
  start(container, ['removed']);
  const made = resultOf(container, 'removed', `memory:${removed}`);
  if (made !== 'ok') return `no shared memory: ${made}`;
  return present().includes(removed) ? 'shared memory stays' : null;
}

function refusesInsteadOfKilling(container) {
  const filter = 'SystemCallFilter=@system-service @pkey';
  writeUnit(container, 'kills', [filter], ['trace']);
  writeUnit(container, 'refuses', [filter, 'SystemCallErrorNumber=EPERM'], ['trace']);
  start(container, ['kills', 'refuses']);
  const [kills, refuses] = ['kills', 'refuses'].map((name) => resultOf(container, name, 'trace'));
  if (!/signal/.test(kills)) return `without it a call is not fatal: ${kills}`;
  return refuses === 'Operation not permitted' ? null : `a call gives ${refuses}`;
}
