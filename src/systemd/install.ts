import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { codedError } from '../errors.js';
import { renderUnit, UNIT_MARK, type UnitPrograms } from './unit.js';

export interface ServiceOptions {
  /** Folder of the installed package. */
  readonly packageRoot: string;
  /** Absolute path of the running Node. */
  readonly node: string;
  /** Where the file system begins; `/` but in tests. */
  readonly root: string;
  /** Runs a program to its end; throws when it fails. */
  readonly run: (file: string, args: readonly string[]) => void;
  /** User number of this process. */
  readonly uid: number;
  /** Whether the service can see a path; tests may lie where it could not. */
  readonly isVisible?: (path: string) => boolean;
}

export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  /** Kept as it is when it exists. */
  readonly keep: boolean;
}

const UNIT = '/etc/systemd/system/mobilenetd.service';
const SYSUSERS = '/etc/sysusers.d/mobilenetd.conf';
const TMPFILES = '/etc/tmpfiles.d/mobilenetd.conf';
const CONFIG = '/etc/mobilenetd/config.yaml';
/** Where the Debian package puts its unit. */
const PACKAGED_UNITS = ['/usr/lib', '/lib'].map(
  (lib) => `${lib}/systemd/system/mobilenetd.service`,
);
/** Folders the unit hides from the service (ProtectHome=, PrivateTmp=). */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//;

/** Whether a service with the unit's hardening can see a path. */
export function isVisibleToService(path: string): boolean {
  return !HIDDEN.test(path);
}

function programsOf({ node, packageRoot }: ServiceOptions): UnitPrograms {
  return { node: realpathSync(node), main: realpathSync(join(packageRoot, 'dist/cli/main.js')) };
}

/** @throws MND_SERVICE_FAILED when Node or the package lie where a service cannot see them */
export function requireVisible(options: ServiceOptions): void {
  const { isVisible = isVisibleToService } = options;
  const programs = programsOf(options);
  for (const [name, path] of Object.entries({ Node: programs.node, mobilenetd: programs.main })) {
    if (isVisible(path)) continue;
    throw codedError('MND_SERVICE_FAILED', {
      subject: name,
      expected: 'a place that a service can see, such as /usr or /opt',
      found: path,
      next: 'install Node for all users (not with nvm), then mobilenetd with `sudo npm install -g`',
    });
  }
}

/** The files of the service for an installation by npm. */
export function planService(options: ServiceOptions): PlannedFile[] {
  const read = (file: string) => {
    try {
      return readFileSync(join(options.packageRoot, file), 'utf8');
    } catch (cause) {
      throw codedError('MND_SERVICE_FAILED', {
        subject: file,
        expected: 'an installation by npm, which has the files of the service',
        found: 'none',
        next: 'the Debian package brings its own unit: sudo systemctl enable --now mobilenetd',
        cause,
      });
    }
  };
  return [
    {
      path: UNIT,
      text: renderUnit(read('systemd/mobilenetd.service'), programsOf(options)),
      keep: false,
    },
    { path: SYSUSERS, text: read('systemd/sysusers.conf'), keep: false },
    { path: TMPFILES, text: read('systemd/tmpfiles.conf'), keep: false },
    { path: CONFIG, text: read('config/service.yaml'), keep: true },
  ];
}

/**
 * Writes the files of the service, makes its user and enables it; it is not started, since its
 * configuration comes first. Safe to repeat after an upgrade. Returns what was written.
 */
export function installService(options: ServiceOptions): string[] {
  requireRoot(options, 'install');
  const inRoot = (path: string) => join(options.root, path);
  const packaged = PACKAGED_UNITS.find((path) => existsSync(inRoot(path)));
  if (packaged !== undefined) {
    throw codedError('MND_SERVICE_FAILED', {
      found: `the unit of the Debian package (${packaged})`,
      next: 'use that one, or `sudo apt remove mobilenetd` first',
    });
  }
  requireVisible(options);
  const written: string[] = [];
  for (const { path, text, keep } of planService(options)) {
    if (keep && existsSync(inRoot(path))) continue;
    mkdirSync(dirname(inRoot(path)), { recursive: true });
    writeFileSync(inRoot(path), text);
    chmodSync(inRoot(path), 0o644);
    written.push(path);
  }
  options.run('systemd-sysusers', [SYSUSERS]);
  options.run('systemd-tmpfiles', ['--create', TMPFILES]);
  options.run('systemctl', ['daemon-reload']);
  options.run('systemctl', ['enable', 'mobilenetd.service']);
  return written;
}

/** Stops the service and removes what `installService` wrote but the configuration and the data. */
export function uninstallService(options: ServiceOptions): string[] {
  requireRoot(options, 'uninstall');
  const removed = planRemoval(options);
  options.run('systemctl', ['disable', '--now', 'mobilenetd.service']);
  for (const path of removed) rmSync(join(options.root, path));
  options.run('systemctl', ['daemon-reload']);
  return [...removed];
}

/**
 * What `uninstallService` would remove. Throws MND_SERVICE_FAILED where the unit is not one that
 * `installService` has written.
 */
export function planRemoval(options: ServiceOptions): readonly string[] {
  const unit = join(options.root, UNIT);
  if (!existsSync(unit) || !readFileSync(unit, 'utf8').startsWith(UNIT_MARK)) {
    throw codedError('MND_SERVICE_FAILED', {
      subject: UNIT,
      expected: 'a unit that `mobilenetd service install` has written',
      found: existsSync(unit) ? 'another one' : 'none',
      next: 'a Debian package is removed with `sudo apt remove mobilenetd`',
    });
  }
  return [UNIT, SYSUSERS, TMPFILES].filter((path) => existsSync(join(options.root, path)));
}

function requireRoot({ uid }: ServiceOptions, verb: string): void {
  if (uid === 0) return;
  throw codedError('MND_SERVICE_FAILED', {
    expected: 'root, who may write to /etc',
    found: `user number ${uid}`,
    next: `run \`sudo mobilenetd service ${verb}\`, or look first with --dry-run`,
  });
}
