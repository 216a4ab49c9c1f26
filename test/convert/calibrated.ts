import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { convertNetwork, readTflite } from '#mobilenetd/convert/convert.js';
import { type ChannelScaling, NO_PICTURE_OPTIONS } from '#mobilenetd/convert/scaling.js';
import { measureCalibration } from '#mobilenetd/inference/calibrate.js';
import type { NumericForm } from '#mobilenetd/models/variant.js';
import { topClasses } from '#mobilenetd/vision/topk.js';
import { networkInput, testPictures, wildModel } from './mirror.js';
import { openOnnx } from './session.js';

export const pictures = await testPictures();

/** The first class and its score on each picture, in one form. */
export async function answers(
  network: ReturnType<typeof readTflite>,
  options: Parameters<typeof convertNetwork>[1],
  shown: readonly Uint8Array[],
  size: number,
) {
  const { onnx, head, form } = convertNetwork(network, options);
  if (head.kind !== 'classifier') throw new Error('no classifier');
  const model = await openOnnx(onnx, form);
  const found = [];
  for (const pixels of shown) {
    const { data = new Uint8Array() } = (await model.run(pixels, size, size)).logits ?? {};
    const best = topClasses(data, head.logits, head.classes, head.scores);
    found.push({
      best: best[0]?.index,
      scores: new Map(best.map(({ index, score }) => [index, score])),
    });
  }
  await model.close();
  return found;
}

/** A float network of another's, and how near its integer forms must be. */
interface CalibratedCase {
  readonly file: string;
  readonly size: number;
  readonly scaling: ChannelScaling | null;
  /** Least share of the pictures on which a form's first class is the float's. */
  readonly least: number;
  /** Largest mean change of the first class's score. */
  readonly apart: number;
}

export function testCalibrated(
  t: Test,
  { file, size, scaling, least, apart }: CalibratedCase,
): void {
  const { path, skip } = wildModel(file);
  void t.test(`${file} in integers, calibrated by pictures`, { skip }, async (t) => {
    const network = readTflite(readFileSync(path), { ...NO_PICTURE_OPTIONS, scaling });
    const shown = pictures.map((picture) => networkInput(picture, size));
    const calibration = await measureCalibration(
      network.graph,
      shown
        .filter((_, index) => index % 2 === 0)
        .map((pixels) => ({ height: size, width: size, pixels })),
    );
    const float = await answers(network, { form: 'float32' }, shown, size);
    for (const form of ['symmetric', 'reduced'] satisfies NumericForm[]) {
      const integer = await answers(network, { form, calibration }, shown, size);
      const agreed = float.filter(({ best }, at) => best === integer[at]?.best).length;
      const change = float.reduce((sum, { best = 0, scores }, at) => {
        return sum + Math.abs((scores.get(best) ?? 0) - (integer[at]?.scores.get(best) ?? 0));
      }, 0);
      t.comment(`${form}: ${agreed} of ${float.length}, ${change / float.length} apart`);
      t.ok(agreed >= least * float.length, `${form} agrees on ${agreed} of ${float.length}`);
      t.ok(change / float.length < apart, `${form}: scores ${change / float.length} apart`);
      // The first convolutions stay real, those behind them are integers.
      const { layers, operators } = convertNetwork(network, { form, calibration }).report;
      const types = layers.map(
        ({ kind, scale }) => `${kind} ${scale === null ? 'real' : 'stored'}`,
      );
      t.equal(operators.store, 1);
      t.equal(types[1], 'conv real');
      t.ok(types.filter((type) => type.endsWith('conv stored')).length > 15, types.join());
    }
    const { channelScales, ranges, means } = calibration;
    const elsewhere = { channelScales, ranges, means };
    const { report } = convertNetwork(network, { form: 'symmetric', calibration: elsewhere });
    t.equal(report.operators.store, undefined, 'a calibration of elsewhere is as it was');
    t.throws(() => convertNetwork(network, { form: 'symmetric' }), {
      code: 'MND_MODEL_MISMATCH',
      message: /pictures to calibrate with.*--calibrate FOLDER/,
    });
  });
}
