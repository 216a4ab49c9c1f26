import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import {
  installService,
  isVisibleToService,
  planRemoval,
  planService,
  type ServiceOptions,
  uninstallService,
} from '#mobilenetd/systemd/install.js';
import { renderUnit, UNIT_MARK } from '#mobilenetd/systemd/unit.js';

const TEMPLATE = readFileSync('systemd/mobilenetd.service', 'utf8');
const UNIT = 'etc/systemd/system/mobilenetd.service';

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
t.test(
  'systemd accepts the unit, and its exposure is at most 2.5',
  { skip: analyze ? false : 'systemd-analyze is not installed' },
  async (t) => {
    const unit = join(t.testdir(), 'mobilenetd.service');
    const programs = { node: process.execPath, main: resolve('dist/cli/main.js') };
    writeFileSync(unit, renderUnit(TEMPLATE, programs));
    const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    t.equal(verified.status, 0, verified.stderr);
    t.equal(verified.stderr, '');
    const security = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=25', unit],
      { encoding: 'utf8' },
    );
    t.equal(security.status, 0, security.stdout.trim().split('\n').at(-1) ?? '');
  },
);

t.test('the unit has what the daemon relies on', async (t) => {
  const lines = new Set(TEMPLATE.split('\n'));
  for (const line of [
    'Type=notify',
    'NotifyAccess=all',
    'WatchdogSec=30',
    'RestartPreventExitStatus=78',
    'Environment=ORT_DISABLE_TELEMETRY=1',
    'SupplementaryGroups=video render',
  ]) {
    t.ok(lines.has(line), line);
  }
});

t.test('systemd says nothing of credentials that are not stored', async (t) => {
  const named = (setting: string) =>
    [...TEMPLATE.matchAll(new RegExp(`^${setting}=(\\w+):`, 'gm'))].map(([, id]) => id);
  t.same(named('LoadCredential'), ['mqtt_username', 'mqtt_password']);
  t.same(named('SetCredential'), named('LoadCredential'), 'a default, or it logs "skipping"');
});

t.test('paths in the unit are quoted as systemd reads them', async (t) => {
  const exec = (node: string, main: string) =>
    /^ExecStart=(.*)$/m.exec(renderUnit(TEMPLATE, { node, main }))?.[1];
  t.equal(exec('/usr/bin/node', '/usr/lib/m/main.js'), '/usr/bin/node /usr/lib/m/main.js run');
  t.equal(exec('/opt/my node/node', '/a%b/$c.js'), '"/opt/my node/node" "/a%%b/$$c.js" run');
  t.throws(() => renderUnit('[Service]\n', { node: '/n', main: '/m' }), /ExecStart/);
});

t.test('the configuration that comes with the service is valid', async (t) => {
  const { config } = loadConfig({ files: ['config/service.yaml'], env: {} });
  t.equal(config.state_dir, '/var/lib/mobilenetd');
  t.same(Object.keys(config.cameras), [], 'what it leaves open is found');
  t.equal(config.mqtt.url, null);
});

/** A service to be installed below a folder; `calls` has the programs that were run. */
function serviceIn(root: string): { calls: string[]; options: ServiceOptions } {
  const packageRoot = join(root, 'opt/mobilenetd');
  const node = join(root, 'opt/node');
  for (const folder of ['dist/cli', 'systemd', 'config']) {
    mkdirSync(join(packageRoot, folder), { recursive: true });
  }
  for (const file of ['mobilenetd.service', 'sysusers.conf', 'tmpfiles.conf']) {
    writeFileSync(join(packageRoot, 'systemd', file), readFileSync(join('systemd', file)));
  }
  writeFileSync(join(packageRoot, 'config/service.yaml'), readFileSync('config/service.yaml'));
  writeFileSync(join(packageRoot, 'dist/cli/main.js'), '');
  writeFileSync(node, '');
  const calls: string[] = [];
  const run = (file: string, args: readonly string[]) => calls.push([file, ...args].join(' '));
  return { calls, options: { packageRoot, node, root, run, uid: 0, isVisible: () => true } };
}

t.test('install writes the files once and keeps the configuration', async (t) => {
  const { calls, options } = serviceIn(t.testdir());
  t.same(installService(options), [
    '/etc/systemd/system/mobilenetd.service',
    '/etc/sysusers.d/mobilenetd.conf',
    '/etc/tmpfiles.d/mobilenetd.conf',
    '/etc/mobilenetd/config.yaml',
  ]);
  t.same(calls, [
    'systemd-sysusers /etc/sysusers.d/mobilenetd.conf',
    'systemd-tmpfiles --create /etc/tmpfiles.d/mobilenetd.conf',
    'systemctl daemon-reload',
    'systemctl enable mobilenetd.service',
  ]);
  const unit = readFileSync(join(options.root, UNIT), 'utf8');
  t.ok(unit.startsWith(UNIT_MARK));
  t.ok(unit.includes(`ExecStart=${options.node} ${options.packageRoot}/dist/cli/main.js run\n`));

  const config = join(options.root, 'etc/mobilenetd/config.yaml');
  writeFileSync(config, 'cameras: {}\n');
  t.notOk(installService(options).includes('/etc/mobilenetd/config.yaml'));
  t.equal(readFileSync(config, 'utf8'), 'cameras: {}\n');

  t.equal(planRemoval(options).length, 3, 'a dry run says what a removal does');
  calls.length = 0;
  uninstallService(options);
  t.notOk(existsSync(join(options.root, UNIT)));
  t.ok(existsSync(config), 'the configuration stays');
  t.same(calls, ['systemctl disable --now mobilenetd.service', 'systemctl daemon-reload']);
  t.throws(() => uninstallService(options), { code: 'MND_SERVICE_FAILED' });
});

t.test('what cannot work is refused, with what to do', async (t) => {
  const { options } = serviceIn(t.testdir());
  t.throws(() => installService({ ...options, uid: 1000 }), /sudo mobilenetd service install/);
  t.throws(() => uninstallService({ ...options, uid: 1000 }), /sudo mobilenetd service uninstall/);

  mkdirSync(join(options.root, 'usr/lib/systemd/system'), { recursive: true });
  writeFileSync(join(options.root, 'usr/lib/systemd/system/mobilenetd.service'), '');
  t.throws(() => installService(options), /apt remove mobilenetd/);

  mkdirSync(join(options.root, 'etc/systemd/system'), { recursive: true });
  writeFileSync(join(options.root, UNIT), '[Service]\nExecStart=/opt/own\n');
  t.throws(() => uninstallService(options), /another one/);
  t.throws(() => planRemoval(options), { code: 'MND_SERVICE_FAILED', message: /apt remove/ });
  const packaged = { ...options, packageRoot: t.testdir() };
  t.throws(() => planService(packaged), { code: 'MND_SERVICE_FAILED', message: /its own unit/ });
});

t.test('a Node of one user is refused: the service could not see it', async (t) => {
  t.ok(isVisibleToService('/usr/bin/node'));
  t.ok(isVisibleToService('/opt/home/node'));
  for (const path of ['/home/pi/.nvm/node', '/root/node', '/tmp/a/main.js', '/var/tmp/main.js']) {
    t.notOk(isVisibleToService(path), path);
  }
  const { calls, options } = serviceIn(t.testdir());
  const refused = { ...options, isVisible: (path: string) => !path.endsWith('node') };
  t.throws(() => installService(refused), /Node: .*not with nvm/);
  t.same(calls, []);
  t.notOk(existsSync(join(options.root, UNIT)), 'nothing was written');
  t.equal(planService(refused).length, 4, 'a dry run shows the files all the same');
});
