import type { Command } from 'commander';
import type { Config } from '../../config/config.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import { type JsonFlag, shelfOf } from './shared.js';

export function registerLabels(models: Command, context: CommandContext): void {
  models
    .command('labels')
    .description('the labels of an installed model, as events and the configuration name them')
    .argument('[name]', 'an installed model (default: the configured one)')
    .option('--json', 'one JSON object: model, labels, and those taught on this board')
    .action(async (name: string | undefined, flags: JsonFlag) => {
      const { shortName } = await import('../../daemon/line/labels.js');
      const shelf = await shelfOf(context);
      const config = context.loadConfig();
      const { model } = config;
      const entries = await shelf.list();
      const task = entries.find((entry) => entry.name === name)?.task ?? model.task;
      const variant = await shelf.resolve({ task, name: name ?? model.name, form: 'auto' });
      const labels = [...new Set(variant.labels.map(shortName))].filter((label) => label !== '');
      const taught = name === undefined ? await taughtHere(config) : [];
      if (flags.json) writeJsonLine(context.stdout, { model: variant.name, labels, taught });
      else writeLine(context.stdout, [...labels, ...taught].join('\n'));
    });
}

/** Labels that were taught on this board, in order; those of objects are sub labels of their events. */
async function taughtHere(config: Config): Promise<string[]> {
  const { cropBoundsOf } = await import('../../daemon/options/teach.js');
  const { tasksOf } = await import('../../taught/tasks.js');
  const { CropShelf } = await import('../../taught/shelf.js');
  if (!config.teach.enabled) return [];
  const crops = await new CropShelf(config.state_dir, cropBoundsOf(config)).list();
  const frames = tasksOf(crops).filter(({ task }) => task.of === null);
  return [...new Set(frames.flatMap(({ labels }) => labels.map(({ label }) => label)))].sort();
}
