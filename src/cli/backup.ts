import type { Register } from './command.js';
import { writeJsonLine, writeLine } from './output.js';

interface Flags {
  readonly force?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('backup')
    .summary('copy the database while the daemon runs')
    .description(
      [
        'Copies the database as it is at one moment, while the daemon goes on writing, and checks the copy.',
        'To restore: stop the daemon, put the copy in the place of mobilenetd.db, remove mobilenetd.db-wal',
        'and mobilenetd.db-shm, start.',
      ].join('\n'),
    )
    .argument('<file>', 'where the copy goes')
    .option('--force', 'replace a file that exists')
    .option('--json', 'one JSON object: file, events, bytes')
    .action(async (file: string, flags: Flags) => {
      const { backupDatabase } = await import('../store/backup.js');
      const { databaseFile } = await import('../store/database.js');
      const { state_dir: stateDir } = context.loadConfig();
      const overwrite = flags.force === true;
      const result = await backupDatabase(databaseFile(stateDir), file, { overwrite });
      if (flags.json) writeJsonLine(context.stdout, result);
      else {
        const size = (result.bytes / 1e6).toFixed(1);
        writeLine(context.stdout, `${result.file}: ${result.events} events, ${size} MB, checked`);
      }
    });
};
