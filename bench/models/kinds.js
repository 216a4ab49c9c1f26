// Real files of several kinds, each against its own original runtime (LiteRT.js), on all test pictures:
// the first class, and the mean difference of its score.
import { readFileSync } from 'node:fs';
import { withFloatEnds } from '../../.build/test/convert/float-ends.js';
import { openOracle } from '../../.build/test/convert/litert.js';
import { networkInput, testPictures, wildModel } from '../../.build/test/convert/mirror.js';
import { classifierSpec, encodeOnnx } from '../../.build/test/convert/own-onnx/build-onnx.js';
import { openOnnx } from '../../.build/test/convert/session.js';
import { classifierGraphModel } from '../../.build/test/convert/tfjs/build-graph-classifier.js';
import { quantizedModel, teachableModel } from '../../.build/test/convert/tfjs/build-layers.js';
import { openTfjs } from '../../.build/test/convert/tfjs/oracle.js';
import { convertNetwork, isFloat, readTflite } from '../../dist/convert/convert.js';
import { convertOwnOnnx } from '../../dist/convert/own-onnx/convert.js';
import { readTfjsNetwork } from '../../dist/convert/tfjs/network.js';
import { measureCalibration } from '../../dist/inference/calibrate.js';
import { ort } from '../../dist/inference/runtime.js';
import { topClasses } from '../../dist/vision/topk.js';
import { print, round, skip as skipFigure } from './common.js';

const UNIT = { mean: [0], scale: [1 / 255] };

/** What the original takes of a pixel, and what `models add` is told. */
const KINDS = [
  { file: 'mobilenet_v1_0.25_224_quant.tflite', ends: 'uint8', real: (pixel) => pixel },
  { file: 'mobilenet_v1_0.25_224_1_metadata_1.tflite', real: (pixel) => pixel / 127.5 - 1 },
  { file: 'vww_96_float.tflite', real: (pixel) => pixel / 255, scaling: UNIT },
  { file: 'vww_96_int8.tflite', ends: 'int8', real: (pixel) => pixel / 255 },
  { file: 'pretrainedResnet_quant.tflite', ends: 'int8', real: (pixel) => pixel },
];

/** Top-1 equal on so many of a hundred, mean score difference: as the file is, and int8 of a float one. */
const BARS = { own: [0.99, 0.01], calibrated: [0.95, 0.03] };

/** Prints two figures for each kind and form: the share that is equal, and how far scores are apart. */
export async function kinds() {
  const pictures = await testPictures();
  for (const kind of KINDS) {
    const { path, skip } = wildModel(kind.file);
    if (skip) skipFigure(`${kind.file} as the original`, skip);
    else await compareKind(kind, readFileSync(path), pictures);
  }
  await builtKinds();
}

async function compareKind({ file, ends, real, scaling = null }, bytes, pictures) {
  const network = readTflite(bytes, { scaling, reversed: false, size: null, maker: null });
  const [, size] = network.graph.tensors.get('input').shape;
  const shown = pictures.map((picture) => networkInput(picture, size));
  const oracle = await openOracle(ends === 'int8' ? withFloatEnds(bytes) : bytes);
  const expected = [];
  for (const pixels of shown) {
    const input = ends === 'uint8' ? pixels : Float32Array.from(pixels, real);
    const scores = await oracle.run(input, [1, size, size, 3]);
    expected.push(scores instanceof Uint8Array ? Array.from(scores, (s) => s / 256) : [...scores]);
  }
  oracle.close();
  const float = isFloat(network.graph);
  const forms = float ? ['float32', 'symmetric', 'reduced'] : ['exact'];
  const sums = new Map(forms.map((form) => [form, { same: 0, difference: 0 }]));
  // Each half is judged by a network that was calibrated with the other one.
  for (const fold of [0, 1]) {
    const pixelsOf = (part) => shown.filter((_, index) => index % 2 === part);
    const calibration = float
      ? await measureCalibration(
          network.graph,
          pixelsOf(1 - fold).map((pixels) => ({ height: size, width: size, pixels })),
        )
      : null;
    const judged = expected.filter((_, index) => index % 2 === fold);
    for (const form of forms) {
      const { onnx, head } = convertNetwork(network, { form, calibration });
      const model = await openOnnx(onnx, form);
      const sum = sums.get(form);
      for (const [at, pixels] of pixelsOf(fold).entries()) {
        const { data } = (await model.run(pixels, size, size)).logits;
        const found = topClasses(data, head.logits, head.classes, head.scores);
        const best = judged[at].indexOf(Math.max(...judged[at]));
        if (found[0].index === best) sum.same += 1;
        const own = found.find(({ index }) => index === best)?.score ?? 0;
        sum.difference += Math.abs(own - judged[at][best]) / shown.length;
      }
      await model.close();
    }
  }
  for (const [form, { same, difference }] of sums) {
    const [least, most] = float && form !== 'float32' ? BARS.calibrated : BARS.own;
    const name = `${file} ${form}`;
    print(`${name}: first class as the original's`, round(same / shown.length), { least });
    print(`${name}: mean difference of its score`, round(difference), { most });
  }
}

/** Small networks of the tests, for kinds of files of which no real one lies here. */
async function builtKinds() {
  const pictures = await testPictures();
  const warn = console.warn;
  // TensorFlow.js advertises its other packages.
  console.warn = () => {};
  const teachable = await teachableModel();
  const layers = {
    'TensorFlow.js layers': teachable,
    'TensorFlow.js layers in 8 bits': quantizedModel(teachable, 'uint8'),
    'TensorFlow.js graph': classifierGraphModel(),
  };
  for (const [name, model] of Object.entries(layers)) await compareTfjs(name, model, pictures);
  await compareOnnx(pictures);
  console.warn = warn;
}

const SMALL = 32;

async function compareTfjs(name, { document, shards }, pictures) {
  const options = { scaling: null, reversed: false, size: null, maker: null };
  const network = readTfjsNetwork({ modelJson: JSON.stringify(document), shards }, options);
  const oracle = await openTfjs(document, shards);
  const signed = name.includes('layers');
  const expected = (pixels) => {
    const real = (pixel) => (signed ? pixel / 127.5 - 1 : pixel / 255);
    return oracle.run(Float32Array.from(pixels, real), [1, SMALL, SMALL, 3]);
  };
  await compareBuilt(name, convertNetwork(network, { form: 'float32' }), expected, pictures);
  oracle.close();
}

async function compareOnnx(pictures) {
  const file = encodeOnnx(classifierSpec({ size: SMALL }));
  const scaling = { mean: [127.5], scale: [1 / 127.5] };
  const model = convertOwnOnnx(file, { scaling, reversed: false, size: null, maker: null });
  const session = await ort.InferenceSession.create(file);
  const expected = async (pixels) => {
    const planes = new Float32Array(pixels.length);
    for (const [at, pixel] of pixels.entries()) {
      planes[(at % 3) * SMALL * SMALL + Math.floor(at / 3)] = pixel / 127.5 - 1;
    }
    const input = new ort.Tensor('float32', planes, [1, 3, SMALL, SMALL]);
    return (await session.run({ input }))[session.outputNames[0]].data;
  };
  await compareBuilt('ONNX classifier', model, expected, pictures);
  await session.release();
}

async function compareBuilt(name, { onnx, form, head }, expectedOf, pictures) {
  const model = await openOnnx(onnx, form);
  let [same, difference] = [0, 0];
  for (const picture of pictures) {
    const pixels = networkInput(picture, SMALL);
    const expected = Array.from(await expectedOf(pixels));
    const { data } = (await model.run(pixels, SMALL, SMALL))[head.logits.name];
    const found = topClasses(data, head.logits, head.classes, head.scores);
    const best = expected.indexOf(Math.max(...expected));
    if (found[0].index === best) same += 1;
    const own = found.find(({ index }) => index === best)?.score ?? 0;
    difference += Math.abs(own - expected[best]) / pictures.length;
  }
  await model.close();
  const [least, most] = BARS.own;
  print(`${name}: first class as the original's`, round(same / pictures.length), { least });
  print(`${name}: mean difference of its score`, round(difference), { most });
}
