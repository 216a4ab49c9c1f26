import t from 'tap';
import { readTflite } from '#mobilenetd/convert/convert.js';
import { writeOnnx } from '#mobilenetd/convert/onnx/write.js';
import { symmetricWeights } from '#mobilenetd/convert/passes/symmetric.js';
import { describeProcessor, thisProcessor } from '#mobilenetd/inference/processor.js';
import { ort, sessionOptions } from '#mobilenetd/inference/runtime.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite } from '../convert/build-tflite.js';
import { randomPicture } from '../convert/random.js';

const EPYC = 'processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse2 avx2 sha_ni\n';
const XEON = 'model name : Xeon\nflags : avx2 avx512f avx512bw avx512_vnni\nmodel name : other\n';
const ALDER_LAKE = 'model name : N100\nflags : avx2 avx_vnni\n';
const PI_4 = [
  'processor\t: 0',
  'Features\t: fp asimd evtstrm crc32 cpuid',
  'CPU implementer\t: 0x41',
  'CPU part\t: 0xd08',
].join('\n');
const PI_5 = PI_4.replace('crc32', 'asimddp').replace('0xd08', '0xd0b');

t.test('what /proc/cpuinfo says', async (t) => {
  t.same(describeProcessor('x64', EPYC, 2), {
    arch: 'x64',
    model: 'AMD EPYC',
    cores: 2,
    features: ['avx2'],
    saturates: true,
  });
  t.match(describeProcessor('x64', XEON, 8), {
    model: 'Xeon',
    features: ['avx2', 'avx512bw', 'avx512_vnni'],
    saturates: false,
  });
  t.equal(describeProcessor('x64', ALDER_LAKE, 4).saturates, false);
  t.match(describeProcessor('arm64', PI_4, 4), {
    model: 'Cortex-A72 (0x41 0xd08)',
    features: ['asimd'],
    saturates: false,
  });
  t.match(describeProcessor('arm64', PI_5, 4), {
    model: 'Cortex-A76 (0x41 0xd0b)',
    features: ['asimd', 'asimddp'],
  });
  t.match(describeProcessor('x64', null, 4), { model: 'unknown', saturates: true });
  t.match(describeProcessor('arm64', '', 4), { model: 'unknown', saturates: false });
  t.equal(thisProcessor(), thisProcessor(), 'read once');
  t.equal(thisProcessor().arch, process.arch);
});

t.test('wide weights are run as uint8 only where sums saturate', async (t) => {
  const precision = (form: 'exact' | 'symmetric' | 'reduced' | 'float32', cpuinfo: string) => {
    const options = sessionOptions(1, form, describeProcessor('x64', cpuinfo, 1));
    return (options.extra as { session: { x64quantprecision: string } }).session.x64quantprecision;
  };
  for (const form of ['exact', 'symmetric'] as const) {
    t.equal(precision(form, EPYC), '1', form);
    t.equal(precision(form, XEON), '0', form);
  }
  for (const form of ['reduced', 'float32'] as const) t.equal(precision(form, EPYC), '0', form);
});

t.test('the form reduced gives the same numbers however its products are added', async (t) => {
  const size = 64;
  const file = buildTflite(mobilenetV1Spec({ alpha: 0.5, size, classes: 40 }, 9));
  const { graph } = symmetricWeights(readTflite(file).graph, true);
  const onnx = writeOnnx(graph);
  const logits = async (model: string, picture: Uint8Array) => {
    const processor = describeProcessor('x64', model, 1);
    // The options of the form exact take the precise kernels where the processor asks for it.
    const session = await ort.InferenceSession.create(onnx, sessionOptions(1, 'exact', processor));
    const input = new ort.Tensor('uint8', picture, [1, size, size, 3]);
    const { data } = (await session.run({ input })).logits as ort.Tensor;
    await session.release();
    return Array.from(data as Uint8Array);
  };
  const white = new Uint8Array(size * size * 3).fill(255);
  for (const picture of [white, randomPicture(size, 1), randomPicture(size, 2)]) {
    const fast = await logits(XEON, picture);
    t.same(fast, await logits(EPYC, picture));
    t.ok(new Set(fast).size > 1);
  }
});
