import type { Command } from 'commander';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import { type JsonFlag, shelfOf } from './shared.js';

export function registerLabels(models: Command, context: CommandContext): void {
  models
    .command('labels')
    .description('the labels of an installed model, as events and the configuration name them')
    .argument('[name]', 'an installed model (default: the configured one)')
    .option('--json', 'one JSON object: model and labels')
    .action(async (name: string | undefined, flags: JsonFlag) => {
      const { shortName } = await import('../../daemon/line/labels.js');
      const shelf = await shelfOf(context);
      const { model } = context.loadConfig();
      const entries = await shelf.list();
      const task = entries.find((entry) => entry.name === name)?.task ?? model.task;
      const variant = await shelf.resolve({ task, name: name ?? model.name, form: 'auto' });
      const labels = [...new Set(variant.labels.map(shortName))].filter((label) => label !== '');
      if (flags.json) writeJsonLine(context.stdout, { model: variant.name, labels });
      else writeLine(context.stdout, labels.join('\n'));
    });
}
