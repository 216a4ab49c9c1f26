import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite, type ModelSpec } from '../convert/build-tflite.js';
import { classifierSpec, encodeOnnx } from '../convert/own-onnx/build-onnx.js';
import { runInProcess } from './in-process.js';

const root = mkdtempSync(join(tmpdir(), 'cli-inspect-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

const ENV = { PATH: process.env.PATH, HOME: root, MOBILENETD_STATE: join(root, 'state') };
const COMMANDS = [{ name: 'models', summary: '', load: () => import('#mobilenetd/cli/models.js') }];
const run = (...args: readonly string[]) => runInProcess(COMMANDS, args, ENV);

function put(name: string, content: Uint8Array | string): string {
  const file = join(root, name);
  writeFileSync(file, content);
  return file;
}

/** Takes the weights of two channels away, and gives one of them a bias beyond 30 bits. */
function withDeadChannels(spec: ModelSpec, layer: string): ModelSpec {
  const tensors = spec.tensors.map((tensor) => {
    if (tensor.name === `${layer}/weights` && tensor.data instanceof Uint8Array) {
      const data = new Uint8Array(tensor.data);
      const perChannel = data.length / (tensor.shape[0] ?? 1);
      data.fill(tensor.zeroPoint?.[0] ?? 0, 3 * perChannel, 5 * perChannel);
      return { ...tensor, data };
    }
    if (tensor.name === `${layer}/bias` && tensor.data instanceof Int32Array) {
      const data = new Int32Array(tensor.data);
      data[3] = 2 ** 31 - 1;
      return { ...tensor, data };
    }
    return tensor;
  });
  return { ...spec, tensors };
}

const LAYER = 'Conv2d_3_pointwise';
const spec = mobilenetV1Spec({ alpha: 0.25, size: 32, classes: 5 });
const labels = put('labels.txt', 'a\nb\nc\nd\ne\n');
const model = put('net.tflite', buildTflite(withDeadChannels(spec, LAYER)));
const forms = ['--form', 'exact', 'symmetric'];
const added = await run('models', 'add', model, '--labels', labels, ...forms);
t.equal(added.status, 0, added.stderr);

interface LayerLine {
  readonly name: string;
  readonly kind: string;
  readonly deadChannels: number;
  readonly range: readonly [number, number] | null;
  readonly channels: { channels: number; clipped: number; constant: number } | null;
}

t.test('layers, ranges and channels', async (t) => {
  const result = await run('models', 'inspect', 'net', '--json');
  t.equal(result.status, 0, result.stderr);
  const lines = result.json();
  const layers = lines.slice(0, -1) as unknown as LayerLine[];
  t.equal(layers.length, 30, '27 convolutions and a classifier, a pool, a reshape');
  const dead = layers.find(({ name }) => name === LAYER);
  t.match(dead, {
    kind: 'conv',
    activation: 'relu6',
    shape: [1, 8, 8, 32],
    zeroPoint: 0,
    parameters: 32 * 32 + 32,
    multAdds: 64 * 32 * 32,
    deadChannels: 2,
    channels: { channels: 32, clipped: 0 },
  });
  t.ok((dead?.channels?.constant ?? 0) >= 2, 'dead channels have one value everywhere');
  t.ok(Math.abs((dead?.range?.[1] ?? 0) - 6) < 1e-3, 'ReLU6 holds 0 to 6');
  t.equal(
    layers.reduce((sum, { deadChannels }) => sum + deadChannels, 0),
    2,
  );
  t.match(lines.at(-1), {
    name: 'net',
    form: 'exact',
    head: 'classifier',
    classes: 5,
    pictures: 1,
    report: { raisedChannels: 0, rescaledChannels: 0, largestWeightError: 0 },
  });
});

t.test('what the symmetric form did to the weights', async (t) => {
  const lines = (await run('models', 'inspect', 'net', '--form', 'symmetric', '--json')).json();
  const { report } = lines.at(-1) as {
    report: { raisedChannels: number; rescaledChannels: number; largestWeightError: number };
  };
  t.equal(report.raisedChannels, 1, 'the dead channel with the large bias');
  t.ok(report.rescaledChannels > 100, `${report.rescaledChannels} channels rescaled`);
  t.ok(report.largestWeightError > 0.001 && report.largestWeightError < 0.02);
  const { stdout } = await run('models', 'inspect', 'net', '--form', 'symmetric', '--wide');
  t.match(stdout, /^layer +operator +then +result +range/);
  t.match(stdout, /Conv2d_3_pointwise +conv +relu6 +8×8×32 +0 to 6 +0\.02353 +0 +1056 +32 +2 /);
  t.match(stdout, /2 channels without weights\n +1 given a larger scale/);
  t.match(stdout, /on one picture \d+ clipped/);
});

t.test('clipped channels are seen', async (t) => {
  // Results of ReLU6 that go up to 6, in a range that ends at 0.13.
  const tensors = spec.tensors.map((tensor) =>
    tensor.name === 'Conv2d_1_pointwise' ? { ...tensor, scale: [0.0005], zeroPoint: [0] } : tensor,
  );
  const file = put('narrow.tflite', buildTflite({ ...spec, tensors }));
  t.equal((await run('models', 'add', file, '--labels', labels)).status, 0);
  const lines = (await run('models', 'inspect', 'narrow', '--json')).json();
  const layer = (lines as unknown as LayerLine[]).find(({ name }) => name === 'Conv2d_1_pointwise');
  t.ok((layer?.channels?.clipped ?? 0) > 4, `${layer?.channels?.clipped} of 16 channels`);
});

t.test('an ONNX file shows its operators', async (t) => {
  const file = put('own.onnx', encodeOnnx(classifierSpec({ size: 32 })));
  const four = put('four.txt', 'a\nb\nc\nd\n');
  await run('models', 'add', file, '--labels', four, '--mean', '0', '--scale', '1');
  const lines = (await run('models', 'inspect', 'own', '--json')).json();
  t.equal(lines.length, 1);
  t.match(lines[0], { report: { operators: { Gemm: 1, Softmax: 1 }, parameters: 16 } });
  t.match((await run('models', 'inspect', 'own')).stdout, /layers +not known/);
});

t.test('what is not there', async (t) => {
  const cases: readonly (readonly [args: readonly string[], status: number, text: RegExp])[] = [
    [['nett'], 64, /MND_MODEL_UNKNOWN.*did you mean net/],
    [['mobilenet_v1_0.5_160_quant'], 69, /MND_MODEL_MISSING.*models pull mobilenet_v1_0.5_160/],
    [['net', '--form', 'float32'], 69, /MND_MODEL_MISSING/],
    [['net', join(root, 'none.jpg')], 66, /MND_INPUT_MISSING/],
    [['net', labels], 1, /MND_IMAGE_INVALID/],
  ];
  for (const [args, status, text] of cases) {
    const result = await run('models', 'inspect', ...args);
    t.equal(result.status, status, args.join(' '));
    t.match(result.stderr, text);
  }
});
