import { type Command, Option } from 'commander';
import type { Frame } from '../camera/source.js';
import type { ChannelScaling } from '../convert/scaling.js';
import { codedError } from '../errors.js';
import { FAMILIES, familyNamed } from '../families/families.js';
import { ALPHA_RANGE, INPUT_SIZE_RANGE } from '../families/ranges.js';
import type { CalibrationCost, ModelEntry, PullResult, Shelf } from '../models/shelf.js';
import { NUMERIC_FORMS, type NumericForm, type Task } from '../models/variant.js';
import { numberOption, numbersOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import { registerInspect } from './inspect.js';
import { registerBench } from './models-bench.js';
import { writeJsonLine, writeLine } from './output.js';
import { createProgressBar } from './progress-bar.js';
import { formatTable } from './table.js';

interface JsonFlag {
  readonly json?: boolean;
}

interface PullFlags extends JsonFlag {
  readonly form?: readonly NumericForm[];
  readonly force?: boolean;
}

interface AddFlags extends PullFlags {
  readonly labels?: string;
  readonly ladder?: boolean;
  readonly name?: string;
  readonly task?: Task;
  readonly crop?: number;
  readonly mean?: readonly number[];
  readonly scale?: readonly number[];
  readonly channels?: 'rgb' | 'bgr';
  readonly pictures?: string;
  readonly calibrate?: string | true;
  readonly size?: number;
}

interface DescribeFlags extends JsonFlag {
  readonly wide?: boolean;
  readonly family: string;
  readonly alpha?: number;
  readonly size: number;
  readonly classes: number;
}

const JSON_OPTION = ['--json', 'one JSON object a line'] as const;

export const register: Register = (program, context) => {
  const models = program
    .command('models')
    .summary('list, install and remove models')
    .description('The models of this machine, and those of the catalogue that it can have.');
  registerList(models, context);
  registerLabels(models, context);
  registerPull(models, context);
  registerAdd(models, context);
  registerRemove(models, context);
  registerDescribe(models, context);
  registerInspect(models, context, shelfOf);
  registerBench(models, context);
};

async function shelfOf(context: CommandContext): Promise<Shelf> {
  const { openShelf } = await import('../models/shelf.js');
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

function registerList(models: Command, context: CommandContext): void {
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

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function formOption(): Option {
  return new Option('--form <form...>', 'numeric forms to install').choices(NUMERIC_FORMS);
}

function registerLabels(models: Command, context: CommandContext): void {
  models
    .command('labels')
    .description('the labels of an installed model, as events and the configuration name them')
    .argument('[name]', 'an installed model (default: the configured one)')
    .option('--json', 'one JSON object: model and labels')
    .action(async (name: string | undefined, flags: JsonFlag) => {
      const { shortName } = await import('../daemon/line/labels.js');
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

function registerPull(models: Command, context: CommandContext): void {
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

function printInstalled(
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

function registerAdd(models: Command, context: CommandContext): void {
  models
    .command('add')
    .description(
      'install a model of your own: .tflite, .onnx, a TensorFlow.js model.json, or a zip with one',
    )
    .argument('<file>', 'the model, or the folder with --ladder')
    .option('--labels <file>', 'label file, one label a line (default: those in the model)')
    .option(
      '--ladder',
      'a folder of training/train.py: every width and size, with labels and figures',
    )
    .option('--name <name>', "name (default: the file's)")
    .addOption(new Option('--task <task>', 'what it is for').choices(['classify', 'detect']))
    .option('--crop <share>', 'central part of a picture that it looks at', cropOption)
    .option(
      '--mean <numbers>',
      'a float picture is scale · (pixel − mean)',
      numbersOption('--mean'),
    )
    .option('--scale <numbers>', 'one number, or three for R, G, B', numbersOption('--scale'))
    .option(
      '--calibrate [folder]',
      'quantize a float network by pictures like those it will see (default: the shipped ones)',
    )
    .option('--size <pixels>', 'side of the picture, for a network that takes any', sizeOption)
    .option('--pictures <folder>', 'pictures to try it on besides the shipped ones')
    .addOption(new Option('--channels <order>', 'which colour comes first').choices(['rgb', 'bgr']))
    .addOption(formOption())
    .option(...JSON_OPTION)
    .action(async (file: string, flags: AddFlags) => {
      const { printTrials, trialPictures, tryModel } = await import('./models-trial.js');
      const { threadsOf } = await import('../daemon/options/engine.js');
      const shelf = await shelfOf(context);
      const bar = createProgressBar(context.stderr);
      const { labels, name, task, crop, form } = flags;
      const { onProgress } = bar;
      try {
        if (flags.ladder) {
          requireLadderFlags(flags);
          const options = { name, forms: form, onProgress, signal: context.signal };
          for await (const model of shelf.addLadder(file, options)) {
            bar.clear();
            printInstalled({ model, fresh: true }, flags, context);
          }
          return;
        }
        const picture = {
          scaling: scalingOf(flags),
          reversed: flags.channels === 'bgr',
          size: flags.size ?? null,
        };
        const calibration = await calibrationFrames(flags.calibrate, context);
        const given = { labels, name, task, centralCrop: crop, forms: form, picture };
        const costs: CalibrationCost[] = [];
        const onCost = (cost: CalibrationCost) => void costs.push(cost);
        const options = { ...given, calibration, onCost, onProgress };
        // Before anything is converted: a folder that is not there is told at once.
        const pictures = await trialPictures(flags.pictures);
        const model = await shelf.add(file, { ...options, signal: context.signal });
        bar.clear();
        printInstalled({ model, fresh: true }, flags, context);
        for (const cost of costs) printCost(cost, flags, context);
        const threads = threadsOf(context.loadConfig());
        printTrials(await tryModel(model, pictures, threads), flags.json === true, context);
      } finally {
        bar.clear();
      }
    });
}

/** The pictures that a float network is quantized by; undefined if that was not asked for. */
async function calibrationFrames(
  asked: string | true | undefined,
  context: CommandContext,
): Promise<readonly Frame[] | undefined> {
  if (asked === undefined) return undefined;
  const { picturesOf, shippedPictures } = await import('../profile/pictures.js');
  if (asked !== true) return picturesOf(asked);
  writeLine(
    context.stderr,
    'calibrating with the shipped pictures: --calibrate FOLDER with pictures of your camera is better',
  );
  return shippedPictures();
}

function printCost(
  { pictures, compared, total, agreed, extra, scoreChange }: CalibrationCost,
  { json }: JsonFlag,
  { stdout }: CommandContext,
): void {
  const change = Math.round(scoreChange * 1e4) / 1e4;
  if (json) {
    const cost = { pictures, compared, total, agreed, extra, scoreChange: change };
    writeJsonLine(stdout, { calibration: cost });
  } else {
    const besides = compared === 'objects' ? `, ${extra} besides` : '';
    const counts = `${agreed} of ${total} ${compared}${besides}`;
    writeLine(
      stdout,
      `symmetric and float32 agree on ${counts}, scores ${change.toFixed(3)} apart`,
    );
  }
}

/** @throws MND_USAGE where something is said that the ladder says itself */
function requireLadderFlags(flags: AddFlags): void {
  const { labels, task, crop, mean, scale, channels, pictures, calibrate } = flags;
  const options = { labels, task, crop, mean, scale, channels, pictures, calibrate };
  const given = Object.entries(options);
  const needless = given.filter(([, value]) => value !== undefined).map(([flag]) => `--${flag}`);
  if (needless.length === 0) return;
  throw codedError('MND_USAGE', {
    subject: needless.join(', '),
    expected: 'none with --ladder: ladder.json says it',
  });
}

/** @throws MND_USAGE for one without the other */
function scalingOf({ mean, scale }: AddFlags): ChannelScaling | null {
  if (mean === undefined && scale === undefined) return null;
  if (mean !== undefined && scale !== undefined) return { mean, scale };
  throw codedError('MND_USAGE', {
    subject: mean === undefined ? '--scale' : '--mean',
    expected: '--mean and --scale together',
  });
}

const cropOption = numberOption('--crop', { min: 0.1, max: 1 });

function registerRemove(models: Command, context: CommandContext): void {
  models
    .command('remove')
    .description('delete an installed model')
    .argument('<name>', 'the model')
    .action(async (name: string) => {
      await (await shelfOf(context)).remove(name);
      writeLine(context.stdout, `${name}  removed`);
    });
}

function registerDescribe(models: Command, context: CommandContext): void {
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
      const { describeText } = await import('./describe-text.js');
      writeLine(context.stdout, describeText(layers, totals, wide === true));
    });
}

const alphaOption = numberOption('--alpha', ALPHA_RANGE);
const sizeOption = numberOption('--size', { ...INPUT_SIZE_RANGE, integer: true });
const classesOption = numberOption('--classes', { min: 1, max: 1_000_000, integer: true });
