import { ALPHA_RANGE, INPUT_SIZE_RANGE } from '../families/ranges.js';
import type { Result } from '../inference/result.js';
import { roundScore } from '../mqtt/publish/payloads.js';
import { numberOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import { writeJsonLine, writeLine } from './output.js';
import {
  addCommonOptions,
  type RecogniseFlags,
  recognise,
  roundMs,
  writeHeading,
} from './recognise.js';

interface ClassifyFlags extends RecogniseFlags {
  readonly top: number;
}

export const register: Register = (program, context) => {
  const command = program
    .command('classify')
    .summary('say what pictures show')
    .description(
      [
        'Names the most likely classes of each picture (JPEG, PNG, WebP, TIFF, GIF, AVIF). The model is',
        'loaded once. A picture that cannot be read is reported on stderr; the others go on.',
      ].join('\n'),
    )
    .argument('<image...>', 'picture files, http(s) addresses, or - for standard input')
    .option('--alpha <number>', 'width multiplier the model must have', alphaOption)
    .option('--size <pixels>', 'input size the model must have', sizeOption)
    .option('--top <count>', 'classes to name', topOption, 5);
  addCommonOptions(command).action((files: string[], flags: ClassifyFlags) =>
    recognise(
      {
        task: 'classify',
        files,
        flags,
        run: { topK: flags.top, threshold: 0 },
        print: (file, result) => print(file, result, flags, context),
      },
      context,
    ),
  );
};

const alphaOption = numberOption('--alpha', ALPHA_RANGE);
const sizeOption = numberOption('--size', { ...INPUT_SIZE_RANGE, integer: true });
const topOption = numberOption('--top', { min: 1, max: 1000, integer: true });

function print(
  file: string,
  result: Result,
  { json }: ClassifyFlags,
  context: CommandContext,
): void {
  const { stdout } = context;
  if (json) {
    const { model, alpha, size, timings } = result;
    const labels = result.labels.map(({ index, label, score }) => ({
      index,
      label,
      score: roundScore(score),
    }));
    writeJsonLine(stdout, { file, model, alpha, size, ms: roundMs(timings.inference), labels });
    return;
  }
  writeHeading(stdout, file, result);
  for (const { label, score } of result.labels) {
    writeLine(stdout, `  ${score.toFixed(3)}  ${label}`);
  }
}
