import t from 'tap';
import { writeOnnx } from '#mobilenetd/convert/onnx/write.js';
import { graphStatistics } from '#mobilenetd/convert/statistics.js';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { randomPicture } from '../random.js';
import { openOnnx } from '../session.js';
import { BLOCK_CUT, buildBlockModel, buildDetector } from './build-tfjs.js';
import { evaluate } from './reference.js';

t.test('everything with constants is folded into the convolution before it', async (t) => {
  const graph = readTfjs(buildBlockModel(), BLOCK_CUT);
  t.same(graphStatistics(graph).operators, {
    normalize: 1,
    conv: 5,
    'depthwise-conv': 1,
    add: 1,
  });
  t.same(graph.inputs, ['input']);
  t.same(graph.outputs, BLOCK_CUT.outputs);
  const sum = graph.operators.find(({ kind }) => kind === 'add');
  t.equal(sum?.output, 'e/add', 'the sum is named after the bias that followed it');
  const project = graph.operators.find(({ output }) => output === 'e');
  t.ok(project?.kind === 'conv' && project.bias !== null, 'which its convolution has now');
});

t.test('the graph computes what TensorFlow would, at any size', async (t) => {
  const model = buildBlockModel();
  const onnx = await openOnnx(writeOnnx(readTfjs(model, BLOCK_CUT)));
  for (const size of [8, 11, 13]) {
    const picture = randomPicture(size, size);
    const results = await onnx.run(picture, size, size);
    for (const name of BLOCK_CUT.outputs) {
      const expected = evaluate(model, name, picture, size);
      const { dims = [], data = [] } = results[name] ?? {};
      t.same(dims, [1, expected.height, expected.width, expected.channels], `${name} at ${size}`);
      let largest = 0;
      expected.values.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - (data[i] ?? Number.NaN)));
      });
      t.ok(largest < 1e-4, `${name} at ${size}: difference ${largest}`);
    }
  }
  await onnx.close();
});

t.test('tensors may cross shards, at any byte', async (t) => {
  const whole = readTfjs(buildBlockModel(), BLOCK_CUT);
  for (const bytes of [7, 100, 1001]) {
    const parts = readTfjs(buildBlockModel(bytes), BLOCK_CUT);
    t.same(parts.tensors.get('f/norm/weights')?.data, whole.tensors.get('f/norm/weights')?.data);
  }
});

t.test('model.json may be bytes, and names may be those of object prototypes', async (t) => {
  const model = buildBlockModel();
  const renamed = model.modelJson
    .replaceAll('"c/add"', '"__proto__"')
    .replaceAll('"c"', '"valueOf"');
  const graph = readTfjs({ modelJson: Buffer.from(renamed), shards: model.shards }, BLOCK_CUT);
  t.equal(graph.operators.length, 8);
  t.ok(graph.tensors.has('__proto__'));
});

t.test("a detector's cut is found by name", async (t) => {
  const graph = readTfjs(buildDetector());
  t.equal(graph.outputs.length, 12);
  t.same(graph.outputs.slice(0, 3), ['boxes0/add', 'scores0/add', 'boxes1/add']);
});
