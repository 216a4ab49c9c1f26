import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { smallSpec } from '../build-small.js';
import { buildTflite, type ModelSpec, type TensorSpec } from '../build-tflite.js';

const whole = smallSpec();
const [picture = 0] = whole.inputs;
const weights = whole.tensors.findIndex(({ name }) => name === 'weights');
/** Tensors that are computed, the picture among them. */
const computed = whole.tensors.flatMap(({ data }, at) => (data === undefined ? [at] : []));
const [, second = 0, third = 0] = computed;

/** The small network with some of its tensors changed. */
function changed(which: readonly number[], change: (tensor: TensorSpec) => object): ModelSpec {
  const tensors = whole.tensors.map((tensor, at) =>
    which.includes(at) ? ({ ...tensor, ...change(tensor) } as TensorSpec) : tensor,
  );
  return { ...whole, tensors };
}

const REFUSED: readonly (readonly [name: string, spec: ModelSpec, message: RegExp])[] = [
  [
    'batches of two',
    changed(computed, ({ shape }) => ({ shape: [2, ...shape.slice(1)] })),
    /found \[2, 8, 8, 3\]; export it anew, for one picture/,
  ],
  ['two inputs', { ...whole, inputs: [picture, second] }, /one input; found 2; export/],
  ['two outputs', { ...whole, outputs: [...whole.outputs, second] }, /one output; found 2; export/],
  ['no output', { ...whole, outputs: [] }, /one output; found 0; export/],
  [
    'a picture of sixteen bits',
    changed(computed, () => ({ type: 'int16', zeroPoint: [0] })),
    /give --mean and --scale|export/,
  ],
  ['a scale that is no number', changed([second], () => ({ scale: [Number.NaN] })), /NaN; fetch/],
  ['a scale of 0', changed([second], () => ({ scale: [0] })), /found 0; fetch/],
  [
    'negative scales',
    changed([weights], ({ scale = [] }) => ({ scale: scale.map((value) => -value) })),
    /scales above 0; found -0\.\d+; fetch/,
  ],
  [
    'a picture with a scale for each channel',
    changed([picture], () => ({
      scale: [1 / 128, 1 / 64, 1 / 32],
      zeroPoint: [128, 128, 128],
      axis: 3,
    })),
    /one scale and one zero point; found 3 scales; fetch the file again, or export it anew/,
  ],
  [
    'a picture that stands for ±5',
    changed([picture], () => ({ scale: [0.0413], zeroPoint: [129] })),
    /no range of pixels; give --mean and --scale/,
  ],
  [
    'a picture without a scale',
    changed([picture], () => ({ scale: undefined, zeroPoint: undefined })),
    /uint8 without a scale; export/,
  ],
  [
    'a map without rows',
    changed([third], ({ shape: [, , ...rest] }) => ({ shape: [1, 0, ...rest] })),
    /no empty dimension; found \[1, 0, .*; export/,
  ],
  [
    'a picture of 65 536 px',
    changed([picture], () => ({ shape: [1, 65536, 65536, 3] })),
    /; take a smaller network/,
  ],
  ['five colours', changed([picture], () => ({ shape: [1, 8, 8, 5] })), /8, 5\]; export/],
  [
    'fewer weights than the shape says',
    changed([weights], () => ({ data: new Uint8Array(50) })),
    /bytes of values; found 50; fetch/,
  ],
  [
    'an operator of other networks',
    {
      ...whole,
      operators: whole.operators.map((operator, at) =>
        at === 2 ? { ...operator, code: 99 } : operator,
      ),
    },
    /SQUARED_DIFFERENCE.*another export of this one/,
  ],
];

t.test('the small network itself is taken', (t) => {
  t.equal(convertTflite(buildTflite(whole), { form: 'exact' }).head.kind, 'classifier');
  t.end();
});

for (const [name, spec, message] of REFUSED) {
  t.test(`${name}: refused, with what to do`, (t) => {
    try {
      convertTflite(buildTflite(spec), { form: 'exact' });
      t.fail('taken');
    } catch (error) {
      if (!isCodedError(error)) throw error;
      t.match(error.message, message);
      t.ok(error.detail.next, 'what to do');
    }
    t.end();
  });
}
