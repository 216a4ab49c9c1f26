import type { ConvertedModel } from '../../convert/converted-model.js';
import { makeIntegers } from '../../convert/onnx-integers/integers.js';
import { planIntegers } from '../../convert/onnx-integers/plan.js';
import { withOutputs } from '../../convert/onnx-integers/rebuild.js';
import { parseOnnx } from '../../convert/own-onnx/parse.js';
import { codedError } from '../../errors.js';
import { measureRanges } from '../../inference/value-ranges.js';
import { type NumericForm, sidesOf } from '../variant.js';
import { type CalibrationRequest, shownPictures } from './calibrate.js';
import { usualCrop } from './usual-crop.js';

/** The first operator set with QLinearConv. */
const LEAST_OPSET = 10;

/**
 * Integer forms of a float ONNX network, whatever its operators are: its convolutions become integers by what
 * they read and give on pictures, everything else stays as it is in the file.
 *
 * @param model the network as it is, made to fit
 * @throws MND_MODEL_OPERATOR for one without convolutions of float32 that another one reads
 */
export async function calibrateOnnx(
  model: ConvertedModel,
  request: CalibrationRequest,
): Promise<(form: NumericForm) => ConvertedModel> {
  const file = parseOnnx(model.onnx);
  const plan = planIntegers(file);
  if (file.opset < LEAST_OPSET) throw notMade(`operator set ${file.opset}`);
  if (plan.convolutions.length === 0) throw notMade('no convolution of that kind');
  const { input, head } = model;
  const crop = request.centralCrop ?? (head.kind === 'classifier' ? usualCrop(head.classes) : 1);
  const pictures = await shownPictures(request, [sidesOf(input, input.sizes[0] ?? 0)], crop);
  const names = [...plan.stored];
  const ranges = await measureRanges(withOutputs(file, names), names, pictures);
  for (const [name, { low, high, mean }] of ranges) {
    const whole = [...low, ...high, ...mean].every(Number.isFinite);
    if (!whole) throw notMade(`values of ${name.slice(0, 80)} that are no numbers`);
  }
  return (form) => {
    if (form !== 'symmetric' && form !== 'reduced') return model;
    const { onnx, ...changes } = makeIntegers(file, plan, ranges, form === 'reduced');
    return { ...model, onnx, form, report: { ...model.report, ...changes } };
  };
}

function notMade(found: string): Error {
  return codedError('MND_MODEL_OPERATOR', {
    subject: '--calibrate',
    expected: `an ONNX network of operator set ${LEAST_OPSET} or later with convolutions behind each other, of float32 weights`,
    found,
    next: 'leave --calibrate out, and the file is used as it is; or export it anew',
  });
}
