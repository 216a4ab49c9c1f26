import type { Command } from 'commander';
import type { ModelEntry } from '../../models/shelf.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import { formatTable } from '../table.js';
import { JSON_OPTION, type JsonFlag, megabytes, shelfOf } from './shared.js';

export function registerList(models: Command, context: CommandContext): void {
  models
    .command('list')
    .description('the catalogue and your own models, and what of them is installed')
    .option('--installed', 'only what is installed')
    .option('--wide', 'all columns: each size, multiply-adds, the forms installed')
    .option(...JSON_OPTION)
    .action(async (flags: ListFlags) => {
      const entries = (await (await shelfOf(context)).list()).filter(
        ({ installed, problem }) =>
          !flags.installed || problem !== null || Object.keys(installed).length > 0,
      );
      if (flags.json) {
        for (const { problem, ...entry } of entries) {
          writeJsonLine(context.stdout, { ...entry, problem: problem?.message ?? null });
        }
        return;
      }
      writeLine(
        context.stdout,
        flags.wide
          ? formatTable(WIDE_COLUMNS, entries.map(wideRow))
          : formatTable(LIST_COLUMNS, entries.map(listRow)),
      );
      for (const { name, problem } of entries) {
        if (problem !== null) writeLine(context.stderr, `${name}: ${problem.message}`);
      }
    });
}

interface ListFlags extends JsonFlag {
  readonly installed?: boolean;
  readonly wide?: boolean;
}

/** 80 places wide, with the longest names of the catalogue. */
const LIST_COLUMNS = ['model', 'task', 'px', 'top-1, mAP', 'installed'];

function listRow(entry: ModelEntry): string[] {
  const { accuracy, installed, problem, sizes } = entry;
  const quality = accuracy.top1 ?? accuracy.map;
  const bytes = Object.values(installed).reduce((sum, each) => sum + each, 0);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  return [
    entry.name + (entry.isDefault ? ' *' : ''),
    entry.task,
    least === most ? String(least) : `${least}–${most}`,
    quality === null ? '' : quality.toFixed(1),
    problem !== null ? 'damaged' : bytes > 0 ? megabytes(bytes) : '',
  ];
}

const WIDE_COLUMNS = ['model', 'task', 'alpha', 'px', 'top-1 or mAP %', 'M mult-adds', 'installed'];

function wideRow(entry: ModelEntry): string[] {
  const { accuracy, multAdds, installed, problem } = entry;
  const quality = accuracy.top1 ?? accuracy.map;
  const forms = Object.entries(installed).map(([form, bytes]) => `${form} ${megabytes(bytes)}`);
  return [
    entry.name + (entry.isDefault ? ' *' : ''),
    entry.task,
    entry.alpha === null ? '' : String(entry.alpha),
    entry.sizes.join(' '),
    quality === null ? '' : quality.toFixed(1),
    multAdds?.[0]?.toFixed(1) ?? '',
    problem === null ? forms.join(', ') : 'damaged',
  ];
}
