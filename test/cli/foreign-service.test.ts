import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { writeDetector } from '../models/sample-files.js';
import { commandsBelow, wholeProgram } from './all-commands.js';

/** A user without any rights; who runs the tests may become it only as root. */
const NOBODY = 65534;

/**
 * What a command needs: the service's state or socket, no more than its configuration, root's rights, or
 * nothing that belongs to the service.
 */
type Need = 'state' | 'configuration' | 'root' | 'nothing';

/** A command line of every command, and what it needs. */
const LINES: Readonly<Record<string, readonly [Need, ...string[]]>> = {
  run: ['state'],
  demo: ['state', '--for', '1'],
  setup: ['root', '--yes'],
  once: ['state'],
  status: ['state'],
  'ctl log-level': ['state', 'debug'],
  'ctl reload': ['state'],
  'ctl reset': ['state'],
  doctor: ['state'],
  config: ['configuration', '--check'],
  'config hash-password': ['nothing', '--help'],
  'config hash-token': ['nothing', '--help'],
  'models list': ['state'],
  'models labels': ['state'],
  'models pull': ['state'],
  'models add': ['state', '{own}/model.json', '--labels', '{own}/labels.txt', '--task', 'detect'],
  'models remove': ['state', 'mobilenet_v1_0.25_128_quant'],
  'models describe': ['nothing', '--alpha', '0.5', '--size', '160'],
  'models inspect': ['state', 'mobilenet_v1_0.25_128_quant'],
  'models bench': ['state'],
  'service install': ['root'],
  'service uninstall': ['root'],
  classify: ['state', 'assets/demo/coffee.jpg'],
  detect: ['state', 'assets/demo/coffee.jpg'],
  teach: ['state', 'cup', '--from', 'assets/demo'],
  query: ['state'],
  events: ['state'],
  export: ['state', '{own}/never.csv'],
  wrong: ['state', 'e1'],
  forget: ['state', '--before', '1d', '--yes'],
  notify: ['configuration'],
  backup: ['state', '{own}/never.db'],
  bench: ['state'],
  completion: ['nothing', 'bash'],
  simulate: ['nothing', '--scenario', 'nominal', '--board', 'pi4-case'],
};

t.test('the table has every command', async (t) => {
  const commands = commandsBelow(await wholeProgram());
  const leaves = commands.filter(
    ([path, command]) => command.commands.length === 0 || path === 'config',
  );
  t.same(Object.keys(LINES).sort(), leaves.map(([path]) => path).sort());
});

interface Outcome {
  readonly args: readonly string[];
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Place {
  readonly state: string;
  /** Where the other user may write. */
  readonly own: string;
  readonly config: string;
}

/** What a packaged service has: a state folder that is its user's alone, and a configuration. */
function serviceOf(t: Test): Place {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-foreign-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const [state, own, config] = ['state', 'own', 'config.yaml'].map((name) => join(folder, name));
  if (state === undefined || own === undefined || config === undefined) throw new Error();
  mkdirSync(state, { mode: 0o700 });
  mkdirSync(own);
  chownSync(own, NOBODY, NOBODY);
  writeDetector(own);
  const labels = Array.from({ length: 91 }, (_, index) => `class ${index}\n`);
  writeFileSync(join(own, 'labels.txt'), labels.join(''));
  writeFileSync(
    config,
    'mqtt: { url: mqtt://127.0.0.1:1 }\ncameras: { front: { source: demo } }\n',
  );
  return { state, own, config };
}

/** Every line of the table as an ordinary user beside that service. */
async function asNobody({ state, own, config }: Place): Promise<readonly Outcome[]> {
  const lines = Object.entries(LINES).map(([path, [, ...args]]) => [
    '--config',
    config,
    ...path.split(' '),
    ...args.map((word) => word.replace('{own}', own)),
  ]);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['.build/test/cli/as-other-user.js', JSON.stringify(lines)],
    {
      uid: NOBODY,
      gid: NOBODY,
      env: { PATH: process.env.PATH, MOBILENETD_STATE: state, HOME: own },
      maxBuffer: 1e8,
    },
  );
  return JSON.parse(stdout);
}

/** Holds an outcome to what the table says of its command; `readable`: whether the configuration is. */
function check(t: Test, need: Need, { args, status, stdout, stderr }: Outcome, readable: boolean) {
  const line = args.slice(2).join(' ');
  t.notMatch(
    stdout + stderr,
    /MND_INTERNAL|\n {4}at |EACCES|EPERM/,
    `no words of the system: ${line}`,
  );
  if (need === 'nothing' || (need === 'configuration' && readable)) {
    t.equal(status, 0, `${line}: ${stderr}`);
    return;
  }
  t.ok(status > 0, line);
  if (args.includes('doctor')) {
    t.match(stdout, /sudo -u mobilenetd mobilenetd/, line);
    return;
  }
  const way =
    need === 'root' ? /sudo mobilenetd (setup|service)/ : /sudo -u mobilenetd mobilenetd …/;
  t.match(stderr, way, line);
  // A log comes before it.
  const told = stderr
    .trimEnd()
    .split('\n')
    .filter((each) => !each.startsWith('{'));
  t.equal(told.length, 1, `one line: ${stderr}`);
  t.match(told[0], /^mobilenetd: MND_[A-Z_]+: /);
}

for (const readable of [true, false]) {
  const what = readable ? 'whose configuration can be read' : 'whose configuration cannot be read';
  t.test(`beside another user's service, ${what}, every command says how to ask`, async (t) => {
    if (process.getuid?.() !== 0) return t.comment('only root can become another user');
    const place = serviceOf(t);
    chmodSync(place.config, readable ? 0o644 : 0o600);
    const outcomes = await asNobody(place);
    const needs = Object.values(LINES).map(([need]) => need);
    t.equal(outcomes.length, needs.length);
    for (const [index, outcome] of outcomes.entries()) {
      check(t, needs[index] ?? 'nothing', outcome, readable);
    }
  });
}
