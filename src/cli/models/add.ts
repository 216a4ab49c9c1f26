import { type Command, Option } from 'commander';
import type { Frame } from '../../camera/source.js';
import type { ChannelScaling } from '../../convert/scaling.js';
import { codedError } from '../../errors.js';
import type { CalibrationCost } from '../../models/shelf.js';
import type { NumericForm, Task } from '../../models/variant.js';
import { numberOption, numbersOption } from '../arguments.js';
import type { CommandContext } from '../command.js';
import { writeJsonLine, writeLine } from '../output.js';
import { createProgressBar } from '../progress-bar.js';
import {
  formOption,
  JSON_OPTION,
  type JsonFlag,
  printInstalled,
  shelfOf,
  sizeOption,
} from './shared.js';

interface AddFlags extends JsonFlag {
  readonly form?: readonly NumericForm[];
  readonly labels?: string;
  readonly ladder?: boolean;
  readonly name?: string;
  readonly task?: Task;
  readonly crop?: number;
  readonly accuracy?: number;
  readonly rungOf?: string;
  readonly mean?: readonly number[];
  readonly scale?: readonly number[];
  readonly channels?: 'rgb' | 'bgr';
  readonly pictures?: string;
  readonly calibrate?: string | true;
  readonly size?: number;
}

export function registerAdd(models: Command, context: CommandContext): void {
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
      '--accuracy <percent>',
      'top-1 or mAP that it is known for: with it, the governor walks between models of equal labels',
      numberOption('--accuracy', { min: 0.1, max: 100 }),
    )
    .option('--rung-of <name>', 'a ladder of your own: models of equal labels under one name')
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
      const { printTrials, trialPictures, tryModel } = await import('../models-trial.js');
      const { threadsOf } = await import('../../daemon/options/engine.js');
      const shelf = await shelfOf(context);
      const bar = createProgressBar(context.stderr);
      const { labels, name, task, crop, form, accuracy, rungOf } = flags;
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
        const own = { accuracy, ladder: rungOf };
        const given = { labels, name, task, centralCrop: crop, ...own, forms: form, picture };
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
  const { picturesOf, shippedPictures } = await import('../../profile/pictures.js');
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
  const { labels, task, crop, accuracy, mean, scale, channels, pictures, calibrate } = flags;
  const options = { labels, task, crop, accuracy, mean, scale, channels, pictures, calibrate };
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
