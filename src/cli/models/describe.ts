import { type Command, Option } from 'commander';
import { codedError } from '../../errors.js';
import { FAMILIES, familyNamed } from '../../families/families.js';
import { ALPHA_RANGE } from '../../families/ranges.js';
import { numberOption } from '../arguments.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import { type JsonFlag, sizeOption } from './shared.js';

interface DescribeFlags extends JsonFlag {
  readonly wide?: boolean;
  readonly family: string;
  readonly alpha?: number;
  readonly size: number;
  readonly classes: number;
}

export function registerDescribe(models: Command, context: CommandContext): void {
  models
    .command('describe')
    .description('the layers of a network for a width and an input size')
    .addOption(
      new Option('--family <name>', 'family of the network')
        .choices(FAMILIES.map(({ name }) => name))
        .default(FAMILIES[0]?.name),
    )
    .option('--alpha <number>', 'width multiplier, where the family has one', alphaOption)
    .requiredOption('--size <pixels>', 'side of the input', sizeOption)
    .option(
      '--classes <count>',
      'outputs of a classifier, or columns of scores',
      classesOption,
      1001,
    )
    .option('--wide', 'all columns, whole names')
    .option('--json', 'one JSON object a layer, then one with the totals')
    .action(async ({ family, size, classes, json, wide, ...flags }: DescribeFlags) => {
      const alpha = flags.alpha ?? null;
      const found = familyNamed(family);
      if (found === undefined) throw codedError('MND_INTERNAL', { subject: family });
      const { layers, totals } = found.describe({ alpha, size, classes });
      if (json) {
        for (const layer of layers) writeJsonLine(context.stdout, layer);
        writeJsonLine(context.stdout, { family, alpha, size, classes, ...totals });
        return;
      }
      const { describeText } = await import('../describe-text.js');
      writeLine(context.stdout, describeText(layers, totals, wide === true));
    });
}

const alphaOption = numberOption('--alpha', ALPHA_RANGE);
const classesOption = numberOption('--classes', { min: 1, max: 1_000_000, integer: true });
