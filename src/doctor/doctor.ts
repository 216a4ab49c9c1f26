import { describeProblem } from '../config/check/problem.js';
import { secretsOf } from '../config/check/secrets.js';
import type { Config } from '../config/config.js';
import type { LoadedConfig } from '../config/load.js';
import { messageOf } from '../errors.js';
import { createMasker } from '../mask.js';
import { checkBoot } from './boot.js';
import { checkBroker } from './broker.js';
import { checkClock } from './clock.js';
import { checkDaemon } from './daemon.js';
import { checkDisk } from './disk.js';
import { type Finding, findings } from './finding.js';
import { checkHeat } from './heat.js';
import { checkModel } from './model.js';
import { checkPermissions } from './permissions.js';
import { checkPrograms } from './programs.js';
import { checkRuntime } from './runtime.js';
import { checkSecond } from './second.js';
import type { CheckInput, Surroundings } from './surroundings.js';
import { checkSystem } from './system.js';
import { checkTaught } from './taught.js';

type Check = (input: CheckInput) => Promise<readonly Finding[]>;

export interface DoctorOptions {
  readonly around: Surroundings;
  /** Reads the configuration; what it throws is a finding. */
  readonly loadConfig: () => Pick<LoadedConfig, 'config' | 'warnings'>;
  /** Looks at the cameras; absent: they are left out. */
  readonly checkCameras?: Check;
  /** Told of findings as they are made. */
  readonly onFindings?: (found: readonly Finding[]) => void;
}

/**
 * Looks at everything the program needs, one check after the other; one that fails is a finding of
 * its own and the others go on. No secret of the configuration is in what it says.
 */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { config, found } = readConfiguration(options.loadConfig);
  const mask = createMasker(config === null ? [] : secretsOf(config));
  const checks: readonly (readonly [name: string, check: Check])[] = [
    ['system', checkSystem],
    ['configuration', async () => found],
    ['programs', checkPrograms],
    ['boot', checkBoot],
    ['runtime', checkRuntime],
    ['model', checkModel],
    ['second', checkSecond],
    ['taught', checkTaught],
    ['camera', options.checkCameras ?? (async () => [])],
    ['heat', checkHeat],
    ['disk', checkDisk],
    ['daemon', checkDaemon],
    ['broker', checkBroker],
    ['clock', checkClock],
    ['permissions', checkPermissions],
  ];
  const all: Finding[] = [];
  for (const [name, check] of checks) {
    const made = await check({ around: options.around, config }).catch((error: unknown) => [
      findings(name).fail(name, `the check failed: ${messageOf(error)}`),
    ]);
    const redacted = made.map((finding) => masked(finding, mask));
    all.push(...redacted);
    options.onFindings?.(redacted);
  }
  return all;
}

function readConfiguration(load: DoctorOptions['loadConfig']): {
  readonly config: Config | null;
  readonly found: readonly Finding[];
} {
  const { ok, warn, fail } = findings('configuration');
  try {
    const { config, warnings } = load();
    const cameras = Object.keys(config.cameras);
    const whole =
      cameras.length === 0
        ? warn('configuration', 'no camera', {
            means: '`mobilenetd run` does not start without one',
            next: '`sudo mobilenetd setup` finds one; or add it to /etc/mobilenetd/config.yaml, e.g. cameras: { front: { source: libcamera } }',
          })
        : ok('configuration', `node ${config.node}, cameras ${cameras.join(', ')}`);
    const odd = warnings.map((warning) =>
      warn('configuration', describeProblem(warning), { means: 'it sets nothing' }),
    );
    return { config, found: [whole, ...odd] };
  } catch (error) {
    const next = 'correct it; mobilenetd config --check says when it is right';
    return { config: null, found: [fail('configuration', messageOf(error), { next })] };
  }
}

function masked(finding: Finding, mask: (text: string) => string): Finding {
  const { means, next } = finding;
  return {
    ...finding,
    subject: mask(finding.subject),
    found: mask(finding.found),
    means: means === null ? null : mask(means),
    next: next === null ? null : mask(next),
  };
}
