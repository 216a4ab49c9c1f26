import { totalmem } from 'node:os';
import type { Command } from 'commander';
import { thisProcessor } from '../../inference/processor.js';
import { chooseForBoard } from '../../models/for-board.js';
import type { Shelf } from '../../models/shelf.js';
import type { NumericForm } from '../../models/variant.js';
import type { CommandContext } from '../command.js';
import { writeLine } from '../output.js';
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
      'models that go together, as many as this board can use: coco (objects), imagenet (names), mobilenetd_things',
    )
    .option('--force', 'fetch and convert again what is there already')
    .option(...JSON_OPTION)
    .action(async (models: string[], flags: PullFlags & { readonly ladder?: string[] }) => {
      const shelf = await shelfOf(context);
      const names = [...models, ...(await forThisBoard(shelf, flags.ladder ?? [], context))];
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

/** The models of ladders that this board can use; which ones it cannot is said. */
async function forThisBoard(
  shelf: Shelf,
  ladders: readonly string[],
  context: CommandContext,
): Promise<readonly string[]> {
  const { cores, model } = thisProcessor();
  const board = { memory: totalmem(), cores, processor: model };
  const { names, leftOut } = chooseForBoard(await shelf.catalog(), ladders, board);
  for (const { name, why } of leftOut) {
    const all = `mobilenetd models pull ${name}`;
    writeLine(context.stderr, `${name} is left out: ${why}. To have it all the same: ${all}`);
  }
  return names;
}
