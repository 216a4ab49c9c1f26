import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codedError } from '../errors.js';
import { resultStat } from '../result-file.js';
import { systemClock } from '../time.js';
import { numberOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import { writeJsonLine, writeLine } from './output.js';

interface Flags {
  readonly force?: boolean;
  readonly keep?: number;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('backup')
    .summary('copy the database while the daemon runs')
    .description(
      [
        'Copies the database as it is at one moment, while the daemon goes on writing, and checks the copy.',
        "The copy is its owner's alone (mode 0600). In a folder it is named by the time, and --keep",
        'removes the oldest of such copies.',
        'To restore: stop the daemon, put the copy in the place of mobilenetd.db, remove mobilenetd.db-wal',
        'and mobilenetd.db-shm, start.',
      ].join('\n'),
    )
    .argument('<target>', 'where the copy goes: a file, or a folder that exists')
    .option('--force', 'replace a file that exists')
    .option(
      '--keep <n>',
      'in a folder: the newest n copies are kept, older ones removed',
      numberOption('--keep', { min: 1, max: 10_000, integer: true }),
    )
    .option('--json', 'one JSON object: file, events, bytes')
    .action((target: string, flags: Flags) => runBackup(target, flags, context));
};

async function runBackup(target: string, flags: Flags, context: CommandContext): Promise<void> {
  const { backupDatabase } = await import('../store/backup.js');
  const { databaseFile } = await import('../store/path.js');
  const isFolder = resultStat(target)?.isDirectory() ?? false;
  if (flags.keep !== undefined && !isFolder) {
    throw codedError('MND_USAGE', {
      subject: '--keep',
      expected: 'a folder that exists, in which copies are named by their time',
      found: target,
    });
  }
  const file = isFolder ? join(target, nameAt(new Date(systemClock.wall()))) : target;
  const { state_dir: stateDir } = context.loadConfig();
  const progress = createProgress(context.stderr);
  const result = await backupDatabase(databaseFile(stateDir), file, {
    overwrite: flags.force === true,
    signal: context.signal,
    onProgress: progress.show,
  }).finally(progress.clear);
  const removed = flags.keep === undefined ? [] : rotate(target, flags.keep);
  if (flags.json) writeJsonLine(context.stdout, { ...result, removed });
  else {
    const size = (result.bytes / 1e6).toFixed(1);
    writeLine(context.stdout, `${result.file}: ${result.events} events, ${size} MB, checked`);
    for (const name of removed) writeLine(context.stdout, `removed ${join(target, name)}`);
  }
}

const NAME = /^mobilenetd-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z\.db$/;

function nameAt(time: Date): string {
  return `mobilenetd-${time.toISOString().slice(0, 19).replaceAll(':', '-')}Z.db`;
}

/** Removes the oldest copies of a folder; returns their names. */
function rotate(folder: string, keep: number): readonly string[] {
  const copies = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort();
  const old = copies.slice(0, Math.max(0, copies.length - keep));
  for (const name of old) rmSync(join(folder, name), { force: true });
  return old;
}

/** One line on a terminal; nothing where there is none. */
function createProgress(stream: NodeJS.WritableStream): {
  readonly show: (done: number, total: number) => void;
  readonly clear: () => void;
} {
  if (!('isTTY' in stream) || stream.isTTY !== true) return { show: () => {}, clear: () => {} };
  let drawn = Number.NEGATIVE_INFINITY;
  return {
    show(done, total) {
      if (systemClock.now() - drawn < 100) return;
      drawn = systemClock.now();
      const percent = total === 0 ? 0 : Math.floor((100 * done) / total);
      stream.write(`\r\u001b[Kcopying: ${percent} %`);
    },
    clear: () => void stream.write('\r\u001b[K'),
  };
}
