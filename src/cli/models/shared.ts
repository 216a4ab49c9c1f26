import { Option } from 'commander';
import { INPUT_SIZE_RANGE } from '../../families/ranges.js';
import type { PullResult, Shelf } from '../../models/shelf.js';
import { NUMERIC_FORMS } from '../../models/variant.js';
import { numberOption } from '../arguments.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';

export interface JsonFlag {
  readonly json?: boolean;
}

export const JSON_OPTION = ['--json', 'one JSON object a line'] as const;

export function formOption(): Option {
  return new Option('--form <form...>', 'numeric forms to install').choices(NUMERIC_FORMS);
}

export const sizeOption = numberOption('--size', { ...INPUT_SIZE_RANGE, integer: true });

/** The models of the configuration; what is wrong with one is told on standard error. */
export async function shelfOf(context: CommandContext): Promise<Shelf> {
  const { openShelf } = await import('../../models/shelf.js');
  return openShelf({
    dir: context.loadConfig().models_dir,
    env: context.env,
    log: {
      info: () => undefined,
      warn: (fields, message) =>
        writeLine(context.stderr, `${message} (${JSON.stringify(fields)})`),
    },
  });
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A model that is installed now, or was. */
export function printInstalled(
  { model, fresh }: PullResult,
  flags: JsonFlag,
  context: CommandContext,
): void {
  const forms = Object.entries(model.forms).map(([form, { bytes }]) => ({ form, bytes }));
  if (flags.json) {
    const { name, task, folder } = model;
    writeJsonLine(context.stdout, { name, task, fresh, folder, forms });
    return;
  }
  const text = forms.map(({ form, bytes }) => `${form} ${megabytes(bytes)}`).join(', ');
  writeLine(
    context.stdout,
    `${model.name}  ${fresh ? 'installed' : 'is there already'}  (${text})`,
  );
}
