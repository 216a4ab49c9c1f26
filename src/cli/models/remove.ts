import type { Command } from 'commander';
import type { CommandContext } from '../command.js';
import { writeLine } from '../output.js';
import { shelfOf } from './shared.js';

export function registerRemove(models: Command, context: CommandContext): void {
  models
    .command('remove')
    .description('delete an installed model')
    .argument('<name>', 'the model')
    .action(async (name: string) => {
      await (await shelfOf(context)).remove(name);
      writeLine(context.stdout, `${name}  removed`);
    });
}
