import { INPUT_SIZE_RANGE } from '../families/ranges.js';
import { THRESHOLD_RANGE } from '../inference/ranges.js';
import type { Box, Result } from '../inference/result.js';
import type { Variant } from '../models/variant.js';
import { numberOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import { writeJsonLine, writeLine } from './output.js';
import {
  addCommonOptions,
  type RecogniseFlags,
  recognise,
  roundMs,
  roundScore,
  writeHeading,
} from './recognise.js';

interface DetectFlags extends RecogniseFlags {
  readonly threshold: number;
}

export const register: Register = (program, context) => {
  const command = program
    .command('detect')
    .summary('find the objects in pictures')
    .description(
      [
        'Finds the objects in each picture (JPEG, PNG, WebP, TIFF, GIF, AVIF), with boxes in its own',
        'pixels: left, top, width, height. The model is loaded once. A picture that cannot be read is',
        'reported on stderr; the others go on.',
      ].join('\n'),
    )
    .argument('<image...>', 'picture files, http(s) addresses, or - for standard input')
    .option('--size <pixels>', 'input size the model must run at', sizeOption)
    .option('--threshold <score>', 'least score, 0.01 to 1', thresholdOption, 0.5);
  addCommonOptions(command).action((files: string[], flags: DetectFlags) =>
    recognise(
      {
        task: 'detect',
        files,
        flags,
        run: { topK: 1, threshold: flags.threshold },
        print: (file, result, variant) => print(file, result, variant, flags, context),
      },
      context,
    ),
  );
};

const sizeOption = numberOption('--size', { ...INPUT_SIZE_RANGE, integer: true });
const thresholdOption = numberOption('--threshold', THRESHOLD_RANGE);

function print(
  file: string,
  result: Result,
  { head }: Variant,
  { json }: DetectFlags,
  { stdout }: CommandContext,
): void {
  // Of a grid's objects only the middle is known; their boxes are one cell around it.
  const isPoint = head.kind === 'grid';
  if (json) {
    const { model, size, timings } = result;
    const objects = result.labels.map(({ label, score, box }) => ({
      label,
      score: roundScore(score),
      box: isPoint ? null : (box?.map((side) => Math.round(side * 10) / 10) ?? null),
      ...(isPoint && { point: middleOf(box) }),
    }));
    writeJsonLine(stdout, { file, model, size, ms: roundMs(timings.inference), objects });
    return;
  }
  writeHeading(stdout, file, result);
  if (result.labels.length === 0) writeLine(stdout, '  nothing');
  for (const { label, score, box } of result.labels) {
    const [x = 0, y = 0, width = 0, height = 0] = box?.map(Math.round) ?? [];
    const place = isPoint ? `at ${middleOf(box).join(', ')}` : `${width}×${height} at ${x}, ${y}`;
    writeLine(stdout, `  ${score.toFixed(3)}  ${label.padEnd(16)} ${place}`);
  }
}

/** The middle of a box, whole pixels. */
function middleOf(box: Box | null): [x: number, y: number] {
  const [x, y, width, height] = box ?? [0, 0, 0, 0];
  return [Math.round(x + width / 2), Math.round(y + height / 2)];
}
