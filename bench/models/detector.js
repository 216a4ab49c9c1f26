// The COCO detector's int8 forms against its own float32, at its native size.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  median,
  packageRoot,
  print,
  processorClass,
  ratioOf,
  round,
  skip,
  takeTurns,
  timed,
} from './common.js';

const NAME = 'ssdlite_mobilenet_v2_coco';
const SIZE = 300;
const FORMS = ['symmetric', 'reduced', 'float32'];

export async function detector(pictures, rounds) {
  if (!existsSync(join(packageRoot, '.cache', NAME, 'model.json'))) {
    return skip('detector', 'run node scripts/fetch-detector.mjs first');
  }
  const scripts = '../../scripts/detector-data.mjs';
  const { calibrationFile, detectorEntry, infer, openSession, readDetector } = await import(
    scripts
  );
  const { parseCalibration } = await import('../../dist/convert/calibration.js');
  const { convertDetectorGraph } = await import('../../dist/convert/float-detector.js');
  const { readFile } = await import('node:fs/promises');
  const entry = detectorEntry(NAME);
  const calibration = parseCalibration(JSON.parse(await readFile(calibrationFile(entry), 'utf8')));
  const graph = readDetector(entry);
  const sessions = {};
  for (const form of FORMS) {
    const { onnx } = convertDetectorGraph(graph, { form, calibration });
    sessions[form] = await openSession(onnx, form, 1);
  }
  const picture = new Uint8Array(SIZE * SIZE * 3).map((_, at) => (at * 31) % 256);
  const times = await takeTurns(
    Object.fromEntries(
      FORMS.map((form) => [form, timed(() => infer(sessions[form], picture, SIZE))]),
    ),
    rounds,
  );
  const fastest = FORMS.reduce((best, form) =>
    median(times[form]) < median(times[best]) ? form : best,
  );
  const medianMs = Object.fromEntries(FORMS.map((form) => [form, round(median(times[form]), 2)]));
  print(
    'detector: float32 / fastest',
    ratioOf(times, 'float32', fastest),
    { least: 1.9 },
    { form: fastest, processor: processorClass(), medianMs },
  );
  if (pictures.length === 0) return skip('detector: agreement', 'no pictures');
  for (const form of ['symmetric', 'reduced']) {
    const flags = form === 'reduced' ? ['--reduced', '--native'] : ['--native'];
    const { matched, extra, scoreChange } = JSON.parse(evaluate(flags)).agreement;
    print(`detector: matched, ${form}`, matched, { least: 0.97 });
    print(`detector: extra, ${form}`, extra, { most: 0.05 });
    print(`detector: mean score change, ${form}`, scoreChange, { most: 0.02 });
  }
}

/** The script says by its exit status whether its limits are met; here the bars are ours. */
function evaluate(flags) {
  const script = join(packageRoot, 'scripts/evaluate-detector.mjs');
  try {
    return execFileSync(process.execPath, [script, NAME, ...flags], { encoding: 'utf8' });
  } catch (error) {
    if (typeof error.stdout === 'string' && error.stdout !== '') return error.stdout;
    throw error;
  }
}
