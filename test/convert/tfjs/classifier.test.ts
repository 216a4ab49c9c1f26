import t from 'tap';
import { convertNetwork } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, type PictureOptions, UNIT } from '#mobilenetd/convert/scaling.js';
import { readTfjsNetwork } from '#mobilenetd/convert/tfjs/network.js';
import { topClasses } from '#mobilenetd/vision/topk.js';
import { randomPicture } from '../random.js';
import { openOnnx } from '../session.js';
import { classifierGraphModel } from './build-graph-classifier.js';
import { plainModel, quantizedModel, type SavedModel, teachableModel } from './build-layers.js';
import { openTfjs } from './oracle.js';

/** TensorFlow.js prints an advertisement. */
console.warn = () => {};

const read = ({ document, shards }: SavedModel, options: Partial<PictureOptions> = {}) =>
  readTfjsNetwork(
    { modelJson: JSON.stringify(document), shards },
    { ...NO_PICTURE_OPTIONS, ...options },
  );

interface Kind {
  readonly name: string;
  readonly model: SavedModel;
  readonly size: number;
  /** What the original takes of a pixel. */
  readonly real: (pixel: number) => number;
  readonly options?: Partial<PictureOptions>;
}

const signed = (pixel: number) => pixel / 127.5 - 1;
const unit = (pixel: number) => pixel / 255;
const teachable = await teachableModel();

const KINDS: readonly Kind[] = [
  { name: "Teachable Machine's web export", model: teachable, size: 32, real: signed },
  {
    name: 'the same, weights in 8 bits',
    model: quantizedModel(teachable, 'uint8'),
    size: 32,
    real: signed,
  },
  {
    name: 'the same, weights in 16 bits',
    model: quantizedModel(await teachableModel({ seed: 9, classes: 5 }), 'uint16'),
    size: 32,
    real: signed,
  },
  {
    name: 'a plain Sequential with pools and sigmoids',
    model: await plainModel(),
    size: 24,
    real: unit,
    options: { scaling: UNIT },
  },
  {
    name: 'a graph model with fused operators, which scales by itself',
    model: classifierGraphModel(),
    size: 32,
    real: unit,
  },
];

for (const { name, model, size, real, options } of KINDS) {
  t.test(`${name}: the scores of TensorFlow.js`, async (t) => {
    const network = read(model, options);
    const { onnx, head } = convertNetwork(network, { form: 'float32' });
    if (head.kind !== 'classifier') throw new Error('no classifier');
    const session = await openOnnx(onnx, 'float32');
    const oracle = await openTfjs(model.document, model.shards);
    const firsts = new Set<number>();
    for (let seed = 0; seed < 8; seed += 1) {
      const picture = randomPicture(size, seed);
      const expected = await oracle.run(Float32Array.from(picture, real), [1, size, size, 3]);
      const { data = new Uint8Array() } = (await session.run(picture, size, size)).logits ?? {};
      const found = topClasses(data, head.logits, head.classes, head.scores);
      t.equal(found.length, expected.length);
      for (const { index, score } of found) {
        t.ok(Math.abs(score - (expected[index] ?? 9)) < 2e-5, `${score} for ${expected[index]}`);
      }
      firsts.add(found[0]?.index ?? -1);
    }
    await session.close();
    oracle.close();
    t.comment(`first classes: ${[...firsts].join(', ')}`);
  });
}

t.test('what a model does not say is asked for', async (t) => {
  const model = await plainModel();
  t.throws(() => read(model), {
    code: 'MND_MODEL_QUESTION',
    message: /how its numbers come from pixels.*neither --mean and --scale, nor a rescaling/,
  });
});

/** A copy of a document with one layer changed. */
function changed(model: SavedModel, from: string, to: string): SavedModel {
  const text = JSON.stringify(model.document).replace(from, to);
  return { document: JSON.parse(text) as SavedModel['document'], shards: model.shards };
}

t.test('what cannot be read is named', async (t) => {
  const plain = await plainModel();
  const cases = [
    [
      changed(plain, '"class_name":"MaxPooling2D"', '"class_name":"UpSampling2D"'),
      /layer UpSampling2D .*expected one of Conv2D.*found UpSampling2D/,
    ],
    [
      changed(plain, '"activation":"relu6"', '"activation":"selu"'),
      /layer Dense .*expected relu, relu6, swish.*found selu/,
    ],
    [
      changed(plain, '[null,24,24,3]', '[null,null,null,3]'),
      /expected a picture of a fixed size.*found \[null,null,null,3\]/,
    ],
    [changed(plain, '[null,24,24,3]', '[null,24,24,4]'), /expected a picture of a fixed size/],
    [changed(plain, 'kernel"', 'kernels"'), /expected the weight.*found none/],
    [
      changed(plain, '"pool_size":[2,2]', '"pool_size":[0,2]'),
      /expected one or two whole numbers as pool_size/,
    ],
  ] as const;
  for (const [model, message] of cases) {
    t.throws(() => read(model, { scaling: UNIT }), { message });
  }
});
