import type { Command } from 'commander';
import type { CommandContext, Register } from './command.js';
import { registerInspect } from './inspect.js';
import { registerAdd } from './models/add.js';
import { registerDescribe } from './models/describe.js';
import { registerLabels } from './models/labels.js';
import { registerList } from './models/list.js';
import { registerPull } from './models/pull.js';
import { registerRemove } from './models/remove.js';
import { shelfOf } from './models/shared.js';
import { registerBench } from './models-bench.js';

/** One file a subcommand, in the order of the help. */
const SUBCOMMANDS: readonly ((models: Command, context: CommandContext) => void)[] = [
  registerList,
  registerLabels,
  registerPull,
  registerAdd,
  registerRemove,
  registerDescribe,
  (models, context) => registerInspect(models, context, shelfOf),
  registerBench,
];

export const register: Register = (program, context) => {
  const models = program
    .command('models')
    .summary('list, install and remove models')
    .description('The models of this machine, and those of the catalogue that it can have.');
  for (const add of SUBCOMMANDS) add(models, context);
};
