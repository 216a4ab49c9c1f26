import { isLoopback } from '../../address.js';
import { readBoardModel } from '../../platform.js';
import { databaseFile, LONGEST_PATH } from '../../store/path.js';
import { knownPower } from '../../thermal/energy/power.js';
import { leavesRoom, ROOM } from '../../thermal/limit.js';
import type { Config } from '../config.js';
import { parseListen } from '../schema/formats.js';
import { checkCameras } from './camera-rules.js';
import { checkMqtt } from './mqtt-rules.js';
import { checkNotify } from './notify-rules.js';
import type { ConfigProblem, Report } from './problem.js';

export interface RuleOptions {
  readonly originOf: (path: readonly string[]) => string;
  readonly faulty: ReadonlySet<string>;
}

/** Rules between keys, which no format of a single key can check. */
const RULES: readonly ((config: Config, report: Report) => void)[] = [
  checkCameras,
  checkFolders,
  checkPresence,
  checkSecond,
  checkGovernor,
  checkMqtt,
  checkNotify,
  checkPage,
];

/** `config` is as it was written: user name and password still stand in the broker's address. */
export function checkRules(config: Config, options: RuleOptions): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report: Report = (path, message, dependsOn = []) => {
    const key = path.join('.');
    if ([key, ...dependsOn].some((dependency) => options.faulty.has(dependency))) return;
    problems.push({ where: options.originOf(path), key, message });
  };
  for (const check of RULES) check(config, report);
  return problems;
}

/** Bytes of the longest name that a file system takes for a file or a folder. */
const LONGEST_NAME = 255;

/** A database whose path is too long for SQLite could not be opened, nor folders made. */
function checkFolders(config: Config, report: Report): void {
  for (const key of ['state_dir', 'models_dir'] as const) {
    const longest = Math.max(...config[key].split('/').map((name) => Buffer.byteLength(name)));
    if (longest > LONGEST_NAME) {
      report(
        [key],
        `expected folders with names of at most ${LONGEST_NAME} bytes; found one of ${longest}`,
      );
    }
  }
  const bytes = Buffer.byteLength(databaseFile(config.state_dir));
  if (bytes <= LONGEST_PATH) return;
  const most = LONGEST_PATH - (bytes - Buffer.byteLength(config.state_dir));
  const found = Buffer.byteLength(config.state_dir);
  report(
    ['state_dir'],
    `expected a path of at most ${most} bytes, as SQLite takes it; found ${found}`,
  );
}

function checkPresence(config: Config, report: Report): void {
  const { enter, stay, labels } = config.presence;
  const general = ['presence.enter', 'presence.stay'];
  if (stay >= enter) {
    report(
      ['presence', 'stay'],
      `expected less than presence.enter (${enter}); found ${stay}`,
      general,
    );
  }
  for (const [name, rule] of Object.entries(labels)) {
    if (rule.enter === undefined && rule.stay === undefined) continue;
    const own = { enter: rule.enter ?? enter, stay: rule.stay ?? stay };
    if (own.stay < own.enter) continue;
    const path = ['presence', 'labels', name];
    const keys = ['enter', 'stay'].map((key) => [...path, key].join('.'));
    report(
      [...path, rule.stay === undefined ? 'enter' : 'stay'],
      `stay (${own.stay}) must be less than enter (${own.enter})`,
      [...general, ...keys],
    );
  }
}

function checkSecond({ model }: Config, report: Report): void {
  const { name, of: wanted } = model.second;
  if (name === null) return;
  if (model.task !== 'detect') {
    report(['model', 'second', 'name'], 'needs model.task: detect, which finds the objects', [
      'model.task',
    ]);
  }
  if (wanted.length > 0) return;
  report(
    ['model', 'second', 'of'],
    'expected the labels whose objects it looks at, e.g. [person]; found none',
    ['model.second.name'],
  );
}

function checkGovernor({ governor }: Config, report: Report): void {
  const { limit, margin, target, energy } = governor;
  const { watts } = energy;
  const board = readBoardModel(governor.proc_root);
  if (energy.watt_hours !== 'any' && watts === 'auto' && knownPower(board) === null) {
    report(
      ['governor', 'energy', 'watt_hours'],
      `needs governor.energy.watts, what this board draws idle and busy, such as [2.1, 6.4]: nothing is known of ${board ?? 'this machine'}`,
    );
  } else if (watts !== 'auto' && watts[0] >= watts[1]) {
    report(
      ['governor', 'energy', 'watts'],
      `expected [idle, full] with less idle than full; found [${watts.join(', ')}]`,
    );
  }
  if (limit !== 'auto' && target !== 'auto' && target >= limit - margin) {
    report(
      ['governor', 'target'],
      `has no effect unless it is below governor.limit − governor.margin (${limit - margin} °C)`,
      ['governor.limit', 'governor.margin'],
    );
  }
  // What the boards' own limits are leaves room for every margin.
  if (limit === 'auto' || leavesRoom(limit, margin)) return;
  report(['governor', 'limit'], `expected ${ROOM}; found ${limit} − ${margin}`, [
    'governor.margin',
  ]);
}

function checkPage({ status }: Config, report: Report): void {
  const { listen, users, trusted_proxies: proxies, tls } = status;
  if ((tls.cert_file === null) !== (tls.key_file === null)) {
    const [given, missing] = tls.cert_file === null ? ['key', 'cert'] : ['cert', 'key'];
    report(['status', 'tls', `${given}_file`], `needs status.tls.${missing}_file as well`);
  }
  if (listen === null || isLoopback(parseListen(listen).host)) return;
  if (Object.keys(users).length + proxies.length > 0) return;
  report(
    ['status', 'listen'],
    'an address beyond this machine needs status.users (mobilenetd config hash-password) or status.trusted_proxies',
    ['status.users', 'status.trusted_proxies'],
  );
}
