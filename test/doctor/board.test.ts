import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { checkClock } from '#mobilenetd/doctor/clock.js';
import { checkDisk } from '#mobilenetd/doctor/disk.js';
import type { Finding } from '#mobilenetd/doctor/finding.js';
import { checkHeat } from '#mobilenetd/doctor/heat.js';
import { checkPermissions } from '#mobilenetd/doctor/permissions.js';
import { checkRuntime } from '#mobilenetd/doctor/runtime.js';
import { checkSystem } from '#mobilenetd/doctor/system.js';
import { type BoardParts, configFor, fakeBoard, surroundingsOf } from './fake-board.js';

function board(t: Test, parts?: BoardParts) {
  const { folder, mounts } = fakeBoard(t, parts);
  writeFileSync(join(folder, 'proc/self/mountinfo'), `${mounts}\n`);
  return folder;
}

const of = (all: readonly Finding[], subject: string) =>
  all.find((finding) => finding.subject === subject);

t.test('a sound Pi 3, 4 and 5', async (t) => {
  for (const [model, overlay] of [
    ['Raspberry Pi 3 Model B Rev 1.2', 'pi3'],
    ['Raspberry Pi 4 Model B Rev 1.4', 'pi4'],
    ['Raspberry Pi 5 Model B Rev 1.0', 'pi5'],
  ] as const) {
    await t.test(model, async (t) => {
      const folder = board(t, { model });
      const input = { around: surroundingsOf(folder), config: configFor(folder) };
      const all = [
        ...(await checkSystem(input)),
        ...(await checkHeat(input)),
        ...(await checkDisk(input)),
        ...(await checkClock(input)),
        ...(await checkPermissions(input)),
      ];
      t.same(
        all.filter(({ level }) => level === 'fail' || level === 'warn'),
        [],
      );
      t.match(of(all, 'board'), { level: 'ok', found: model, means: new RegExp(overlay) });
      t.match(of(all, 'sensor'), { level: 'ok', found: '48.2 °C' });
      t.match(of(all, 'supply'), { check: 'power', level: 'ok' });
      t.match(of(all, 'medium'), { level: 'info', found: /mmcblk0 SC32G/, means: /wear/ });
      t.match(of(all, 'time'), { level: 'ok', found: /synchronised/ });
    });
  }
});

t.test('32-bit programs on a 64-bit kernel, and what is no board of ours', async (t) => {
  const folder = board(t);
  const system = async (platform: { platform: string; arch: string; machine: string }) =>
    of(
      await checkSystem({ around: surroundingsOf(folder, { platform }), config: null }),
      'architecture',
    );
  t.match(await system({ platform: 'linux', arch: 'arm', machine: 'aarch64' }), {
    level: 'fail',
    found: 'a 64-bit kernel (aarch64) with 32-bit programs (Node for arm)',
    next: /64-bit image.*the kernel alone is not enough/,
  });
  t.match(await system({ platform: 'linux', arch: 'arm', machine: 'armv7l' }), {
    level: 'fail',
    next: /64-bit image/,
  });
  t.match(await system({ platform: 'linux', arch: 'x64', machine: 'x86_64' }), { level: 'ok' });
});

t.test('system: releases, Node and memory', async (t) => {
  const old =
    'PRETTY_NAME="Raspbian GNU/Linux 11 (bullseye)"\nID=raspbian\nID_LIKE=debian\nVERSION_ID="11"\n';
  const folder = board(t, {
    osRelease: old,
    meminfo: 'MemTotal: 440000 kB\nMemAvailable: 200000 kB\n',
  });
  const around = surroundingsOf(folder, { nodeVersion: 'v18.19.0' });
  const all = await checkSystem({ around, config: null });
  t.match(of(all, 'system'), { level: 'warn', next: /12 \(bookworm\) or later/ });
  t.match(of(all, 'Node'), { level: 'fail', found: /v18\.19\.0.*20\.9/, next: /nodesource/ });
  t.match(of(all, 'memory'), { level: 'warn', found: '205 of 451 MB free' });
  const [, system] = await checkSystem({
    around: surroundingsOf(
      board(t, {
        osRelease:
          'PRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n',
      }),
    ),
    config: null,
  });
  t.match(system, { level: 'ok', found: 'Ubuntu 24.04 LTS' });
});

t.test('heat and power are told apart', async (t) => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    ['50005', 'ok', 'fail', /under-voltage now, and the clock is held down/],
    ['50000', 'ok', 'warn', /since the board was switched on/],
    ['4', 'warn', 'ok', /no under-voltage/],
    ['8', 'warn', 'ok', /no under-voltage/],
    ['e0000', 'info', 'ok', /no under-voltage/],
    ['0', 'ok', 'ok', /no under-voltage/],
  ];
  for (const [throttled, heat, power, found] of cases) {
    await t.test(throttled, async (t) => {
      const folder = board(t, { throttled });
      const all = await checkHeat({ around: surroundingsOf(folder), config: configFor(folder) });
      t.equal(of(all, 'throttling')?.level, heat);
      t.match(of(all, 'supply'), { check: 'power', level: power, found });
    });
  }
});

t.test('sensor: too hot already, and none', async (t) => {
  const hot = board(t, { model: 'Raspberry Pi 3 Model B Plus Rev 1.3', temp: '63000' });
  const config = configFor(hot);
  t.match(of(await checkHeat({ around: surroundingsOf(hot), config }), 'sensor'), {
    level: 'warn',
    found: '63.0 °C, and the limit is 60 °C',
  });
  // The check of the configuration refuses this already; the doctor must not fall over it.
  const narrow = { ...config, governor: { ...config.governor, limit: 45, margin: 9 } };
  t.match(await checkHeat({ around: surroundingsOf(hot), config: narrow }), [
    { subject: 'limit', level: 'fail', found: /limit − margin/ },
  ]);
  const none = { around: surroundingsOf('/nonexistent'), config: null };
  t.match(of(await checkHeat(none), 'sensor'), { level: 'warn', means: /governor stays off/ });
  const wanted = configFor(hot, { MOBILENETD_GOVERNOR_ENABLED: 'true' });
  const found = await checkHeat({ around: surroundingsOf('/nonexistent'), config: wanted });
  t.match(of(found, 'sensor'), { level: 'fail' });
});

t.test('sensor: what no processor can be like is not ok', async (t) => {
  const config = configFor(board(t));
  for (const [temp, pattern] of [
    ['0', /0\.0 °C \(exactly 0/],
    ['52', /0\.1 °C \(so small a number/],
    ['-274000', /-274\.0 °C \(no processor/],
    ['999000', /999\.0 °C \(no processor/],
    ['x', /cpu-thermal \(it cannot be read\)/],
  ] as const) {
    const dead = { around: surroundingsOf(board(t, { temp })), config };
    const finding = of(await checkHeat(dead), 'sensor');
    t.equal(finding?.level, 'warn', temp);
    t.match(finding?.found, pattern);
  }
  const cold = of(
    await checkHeat({ around: surroundingsOf(board(t, { temp: '-5000' })), config }),
    'sensor',
  );
  t.match(cold, {
    level: 'warn',
    found: /-5\.0 °C: a running processor is that cold in frost only/,
  });
});

t.test('flags come from vcgencmd where sysfs has none', async (t) => {
  const folder = board(t, { throttled: null });
  const config = configFor(folder);
  const asked = surroundingsOf(folder, {}, { vcgencmd: { stdout: 'throttled=0x1\n' } });
  t.match(of(await checkHeat({ around: asked, config }), 'supply'), { level: 'fail' });
  const silent = await checkHeat({ around: surroundingsOf(folder), config });
  t.match(of(silent, 'throttling'), { level: 'warn', next: /usermod -aG video/ });
});

t.test('disk: read-only, worn, in memory, not enough, damaged', async (t) => {
  const disk = async (parts: BoardParts, env?: NodeJS.ProcessEnv) => {
    const folder = board(t, parts);
    return checkDisk({ around: surroundingsOf(folder), config: configFor(folder, env) });
  };
  const mount = (line: string) => ({ mounts: () => line });
  const readOnly = await disk(mount('26 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 ro'));
  t.match(of(readOnly, 'state folder'), { level: 'fail', means: /failing SD card/ });
  const overlay = await disk(mount('26 1 0:2 / / rw - overlay overlay rw'));
  t.match(of(overlay, 'medium'), { level: 'warn', means: /may be lost/ });
  t.match(of(await disk({ lifeTime: '0x09 0x02' }), 'medium'), { level: 'warn', found: /90 %/ });
  const ssd = await disk({
    mounts: (folder) =>
      `26 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n27 26 8:1 / ${folder}/state rw - ext4 /dev/sda1 rw`,
  });
  t.match(of(ssd, 'medium'), { level: 'ok', found: '/dev/sda1 (ext4)' });
  const small = await disk({}, { MOBILENETD_STORE_RETENTION_MAX_SIZE: '900TB' });
  t.match(of(small, 'space'), { level: 'warn', found: /may grow to 900000000 MB/ });

  const folder = board(t);
  const config = configFor(folder);
  writeFileSync(
    join(config.state_dir, 'mobilenetd.db'),
    'SQLite format 3\0 and then nothing sensible',
  );
  const damaged = await checkDisk({ around: surroundingsOf(folder), config });
  t.match(of(damaged, 'database'), { level: 'fail', means: /set.* aside/ });
  rmSync(join(config.state_dir, 'mobilenetd.db'));
  const old = new SQLite(join(config.state_dir, 'mobilenetd.db'));
  old.exec(readFileSync('test/fixtures/store/schema-v1.sql', 'utf8'));
  old.close();
  chmodSync(join(config.state_dir, 'mobilenetd.db'), 0o644);
  chmodSync(config.state_dir, 0o755);
  const older = await checkDisk({ around: surroundingsOf(folder), config });
  t.match(of(older, 'privacy'), { level: 'warn', next: /chmod 700/ });
  t.match(of(older, 'upgrade'), { level: 'info', found: /up to date, after a copy/ });
  chmodSync(config.state_dir, 0o700);
  const closed = await checkDisk({ around: surroundingsOf(folder), config });
  t.notOk(closed.some(({ subject }) => subject === 'privacy'));
  const missing = await checkDisk({
    around: surroundingsOf(folder),
    config: configFor(folder, { MOBILENETD_STATE: '/proc/none/state' }),
  });
  t.match(of(missing, 'state folder'), { level: 'fail', next: /sudo -u mobilenetd/ });
});

t.test('clock: the year, and whether a time server was heard', async (t) => {
  const folder = board(t, { synchronised: false });
  const clock = async (now: string, answer?: string) => {
    const around = surroundingsOf(
      folder,
      { now: () => Date.parse(now) },
      answer === undefined ? {} : { timedatectl: { stdout: `${answer}\n` } },
    );
    return of(await checkClock({ around, config: null }), 'time');
  };
  t.match(await clock('1970-01-01T00:00:20Z'), { level: 'fail', means: /TLS/, next: /set-ntp/ });
  t.match(await clock('2026-05-01', 'no'), { level: 'warn', next: /set-ntp true/ });
  t.match(await clock('2026-05-01', 'yes'), { level: 'ok' });
  t.match(await clock('2026-05-01'), { level: 'info', found: /not known/ });
});

t.test('permissions: groups and a password that all can read', async (t) => {
  const folder = board(t);
  const password = join(folder, 'password');
  writeFileSync(password, 'hunter2', { mode: 0o644 });
  const config = configFor(folder, {
    MOBILENETD_MQTT_URL: 'mqtt://192.0.2.1',
    MOBILENETD_MQTT_USERNAME: 'porch',
    MOBILENETD_MQTT_PASSWORD_FILE: password,
  });
  const around = surroundingsOf(folder, { groups: [1000], dev: '/nonexistent' });
  const all = await checkPermissions({ around, config });
  t.match(of(all, 'groups'), { level: 'fail', next: /usermod -aG video,render/ });
  t.match(of(all, 'user'), { level: 'info', found: 'uid 1000, groups pi' });
  t.match(of(all, 'password file'), { level: 'warn', next: /chmod o-rwx/ });
  const root = await checkPermissions({ around: surroundingsOf(folder, { uid: 0 }), config });
  t.match(of(root, 'user'), { level: 'info', next: /sudo -u mobilenetd/ });
  const demo = configFor(folder, { MOBILENETD_CAMERAS: '{"a":{"source":"demo"}}' });
  t.equal(of(await checkPermissions({ around, config: demo }), 'groups'), undefined);
});

t.test('the runtime: sound, killed, missing', async (t) => {
  const run = async (selfTest: readonly string[]) => {
    const [finding] = await checkRuntime({
      around: surroundingsOf('/nonexistent', { selfTest }),
      config: null,
    });
    return finding;
  };
  const script = (text: string) => [process.execPath, '-e', text];
  t.match(await checkRuntime({ around: surroundingsOf('/nonexistent'), config: null }), [
    { level: 'ok', found: /loads, and computes what it should/ },
  ]);
  t.match(await run(script('process.kill(process.pid, "SIGILL"); setTimeout(() => {}, 5000)')), {
    level: 'fail',
    found: 'it uses an instruction that this processor does not have (SIGILL)',
    next: /doctor --json/,
  });
  t.match(await run(script('process.kill(process.pid, "SIGSEGV"); setTimeout(() => {}, 5000)')), {
    level: 'fail',
    found: 'the self-test died of SIGSEGV',
  });
  t.match(await run(script('process.kill(process.pid, "SIGKILL"); setTimeout(() => {}, 5000)')), {
    level: 'fail',
    means: /want of memory/,
  });
  t.match(await run(script('throw new Error("cannot open shared object")')), {
    level: 'fail',
    found: /does not load: .*Error: cannot open shared object/,
    means: /another architecture/,
  });
});
