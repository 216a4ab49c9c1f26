import { execFileSync } from 'node:child_process';
import { codedError, messageOf } from '../errors.js';
import { PACKAGE_ROOT } from '../package-root.js';
import type { CommandContext, Register } from './command.js';

export const register: Register = (program, context) => {
  const service = program
    .command('service')
    .summary('install or remove the systemd service of an installation by npm')
    .description(
      'Installs or removes the systemd service of an installation by npm. The Debian package brings its own.',
    );
  service
    .command('install')
    .summary('write the unit, make the user and enable the service')
    .option('--dry-run', 'print the files, say whether they would be written, and do nothing')
    .action(async (options: { readonly dryRun?: boolean }) => {
      const { installService, planService, requireVisible } = await import('../systemd/install.js');
      if (options.dryRun) {
        for (const { path, text, keep } of planService(surroundings())) {
          context.stdout.write(`# ${path}${keep ? ' (kept if it exists)' : ''}\n${text}\n`);
        }
        // The files are right for where this runs from; that a service could run it there is not said.
        requireVisible(surroundings());
        return;
      }
      list(context, 'wrote', installService(surroundings()));
      context.stdout.write(NEXT);
    });
  service
    .command('uninstall')
    .summary('stop the service and remove its unit; configuration and data stay')
    .option('--dry-run', 'say what would be removed and do nothing')
    .action(async (options: { readonly dryRun?: boolean }) => {
      const { planRemoval, uninstallService } = await import('../systemd/install.js');
      if (options.dryRun) {
        list(context, 'would remove', planRemoval(surroundings()));
        return;
      }
      list(context, 'removed', uninstallService(surroundings()));
      context.stdout.write(LEFT);
    });
};

const NEXT = `next:
  sudoedit /etc/mobilenetd/config.yaml
  sudo -u mobilenetd mobilenetd config --check
  sudo systemctl start mobilenetd && systemctl status mobilenetd
`;
const LEFT =
  'kept: /etc/mobilenetd, /var/lib/mobilenetd and the user mobilenetd ' +
  '(sudo rm -r /etc/mobilenetd /var/lib/mobilenetd; sudo userdel mobilenetd)\n';

function list(context: CommandContext, verb: string, paths: readonly string[]): void {
  for (const path of paths) context.stdout.write(`${verb} ${path}\n`);
}

function surroundings() {
  return {
    packageRoot: PACKAGE_ROOT,
    node: process.execPath,
    root: '/',
    uid: process.getuid?.() ?? -1,
    run(file: string, args: readonly string[]) {
      try {
        execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
      } catch (cause) {
        throw codedError('MND_SERVICE_FAILED', {
          subject: [file, ...args].join(' '),
          found: messageOf(cause).trim().split('\n').at(-1) ?? '',
          next: 'the service needs a system that runs systemd',
          cause,
        });
      }
    },
  };
}
