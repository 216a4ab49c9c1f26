import type { Command } from 'commander';
import type { NumericForm } from '../../models/variant.js';
import type { CommandContext } from '../command.js';
import { createProgressBar } from '../progress-bar.js';
import { formOption, JSON_OPTION, type JsonFlag, printInstalled, shelfOf } from './shared.js';

interface PullFlags extends JsonFlag {
  readonly form?: readonly NumericForm[];
  readonly force?: boolean;
}

export function registerPull(models: Command, context: CommandContext): void {
  models
    .command('pull')
    .description('fetch models of the catalogue, convert and install them')
    .argument('[name...]', 'models (default: the default detector)')
    .addOption(formOption())
    .option(
      '--ladder <name...>',
      'models that go together: coco (objects), imagenet (names), mobilenetd_things',
    )
    .option('--force', 'fetch and convert again what is there already')
    .option(...JSON_OPTION)
    .action(async (models: string[], flags: PullFlags & { readonly ladder?: string[] }) => {
      const names = [...models, ...(flags.ladder ?? [])];
      const shelf = await shelfOf(context);
      const bar = createProgressBar(context.stderr);
      const { onProgress } = bar;
      try {
        const { form: forms, force } = flags;
        const options = { forms, force, onProgress, signal: context.signal };
        for await (const result of shelf.pullEach(names, options)) {
          bar.clear();
          printInstalled(result, flags, context);
        }
      } finally {
        bar.clear();
      }
    });
}
