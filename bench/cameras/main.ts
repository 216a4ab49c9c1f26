import { parseArgs } from 'node:util';
import { reportError, writeJsonLine, writeLine } from '#mobilenetd/cli/output.js';
import { processContext } from '#mobilenetd/cli/process-context.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { type Figure, measureCameras } from './figures.js';

/*
 * Runs the whole daemon on stand-in cameras of 640×480 at 10 frames a second and holds it to its
 * bars: how two share the engine, what the end of one costs the other, the age of labels, the CPU of
 * everything but inference, and what the motion gate saves. Ends with 1 when a bar is missed.
 *
 *   npm run bench:cameras [-- --model NAME --seconds 20 --json --config FILE]
 */

const CLASSIFIER = 'mobilenet_v1_0.5_160_quant';
const DETECTOR = 'ssdlite_mobilenet_v2_coco';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: CLASSIFIER },
    seconds: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    config: { type: 'string', short: 'c', multiple: true, default: [] },
  },
});
const context = processContext(() => ({ config: values.config, debug: false }), loadConfig);
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < 1) throw new RangeError('--seconds: 1 or more');

let missed = 0;
try {
  await measureCameras(
    { context, classifier: values.model, detector: DETECTOR, seconds },
    (found) => {
      if (!found.pass) missed += 1;
      if (values.json) writeJsonLine(context.stdout, { ...found, value: rounded(found.value) });
      else writeLine(context.stdout, lineOf(found));
    },
  );
  process.exitCode = missed > 0 ? 1 : 0;
} catch (error) {
  process.exitCode = reportError(error, { stderr: process.stderr, debug: false });
}

function lineOf({ figure, value, unit, bar, must, pass, model }: Figure): string {
  const [shown, limit] = unit === '' ? [percent(value), percent(bar)] : [rounded(value), bar];
  const mark = pass ? 'pass' : 'MISS';
  const behind = unit === '' ? '' : ` ${unit}`;
  return `${mark}  ${figure}: ${shown}${behind} (${must} ${limit}${behind}; ${model})`;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
