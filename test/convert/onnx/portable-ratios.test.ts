import t from 'tap';
import { createOnnxBuilder, MICROSOFT } from '#mobilenetd/convert/onnx/builder.js';
import { additionRatios, productRatio } from '#mobilenetd/convert/onnx/portable-ratios.js';
import type { ScalarQuantization as Affine } from '#mobilenetd/convert/tensors.js';
import { ort, sessionOptions } from '#mobilenetd/inference/runtime.js';
import { createRandom } from '../random.js';

const { fround } = Math;
const COUNT = 256 * 256;
const A = Uint8Array.from({ length: COUNT }, (_, pair) => pair >> 8);
const B = Uint8Array.from({ length: COUNT }, (_, pair) => pair & 255);

/** Every pair of stored values through onnxruntime's own operator. */
async function everyPair(
  operator: 'QLinearAdd' | 'QLinearMul',
  ratios: readonly [number, number],
  zeros: readonly [number, number, number],
): Promise<Uint8Array> {
  const builder = createOnnxBuilder('pairs');
  for (const name of ['a', 'b']) builder.input(name, 'uint8', [COUNT]);
  builder.output('c', 'uint8', [COUNT]);
  const [a, b, c] = zeros.map((zero) => builder.scalar('uint8', zero)) as [string, string, string];
  const [first, second] = ratios.map((ratio) => builder.scalar('float32', ratio));
  const inputs = ['a', first ?? '', a, 'b', second ?? '', b, builder.scalar('float32', 1), c];
  builder.node(operator, inputs, 'c', {}, MICROSOFT);
  const session = await ort.InferenceSession.create(
    builder.finish({}),
    sessionOptions(1, 'reduced'),
  );
  const feeds = { a: new ort.Tensor('uint8', A, [COUNT]), b: new ort.Tensor('uint8', B, [COUNT]) };
  const { c: output } = await session.run(feeds);
  await session.release();
  if (!(output?.data instanceof Uint8Array)) throw new Error('no result');
  return output.data;
}

const clamp = (value: number) => Math.max(0, Math.min(255, value));

/** To the nearest integer, halves to an even one, as lrintf does. */
function toEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (Math.abs(floor) % 2) : Math.round(value);
}

/** As XNNPACK adds: 21-bit multipliers of the ratios, halves up. */
function xnnpackSum(a: Affine, b: Affine, sum: Affine): Uint8Array {
  const [first, second] = [fround(a.scale / sum.scale), fround(b.scale / sum.scale)];
  const shift = 20 - Math.floor(Math.log2(Math.max(first, second)));
  const [m, n] = [toEven(first * 2 ** shift), toEven(second * 2 ** shift)];
  return A.map((value, pair) => {
    const real = (value - a.zeroPoint) * m + ((B[pair] ?? 0) - b.zeroPoint) * n;
    return clamp(Math.floor(real / 2 ** shift + 0.5) + sum.zeroPoint);
  });
}

/** As onnxruntime adds on arm64: 22-bit multipliers, halves away from 0. */
function arm64Sum(
  [first, second]: readonly [number, number],
  zeros: readonly [number, number, number],
): Uint8Array {
  const shift = 21 - Math.floor(Math.log2(Math.max(first, second)));
  const [m, n] = [toEven(first * 2 ** shift), toEven(second * 2 ** shift)];
  return A.map((value, pair) => {
    const real = ((value - zeros[0]) * m + ((B[pair] ?? 0) - zeros[1]) * n) / 2 ** shift;
    const rounded = Math.sign(real) * Math.floor(Math.abs(real) + 0.5);
    return clamp(rounded + zeros[2]);
  });
}

function differing(one: Uint8Array, other: Uint8Array): number {
  return one.reduce((count, value, pair) => count + (value === other[pair] ? 0 : 1), 0);
}

/** Residual additions of MobileNetV2 1.0 at 224 px, the first of which parts the plain kernels. */
const OFFICIAL: readonly (readonly [Affine, Affine, Affine])[] = [
  [
    { scale: fround(0.4014929533), zeroPoint: 136 },
    { scale: fround(0.2758343518), zeroPoint: 119 },
    { scale: fround(0.4321689606), zeroPoint: 133 },
  ],
  [
    { scale: fround(0.1471552104), zeroPoint: 123 },
    { scale: fround(0.1891102642), zeroPoint: 122 },
    { scale: fround(0.1996811032), zeroPoint: 124 },
  ],
];

function randomAffines(count: number): readonly (readonly [Affine, Affine, Affine])[] {
  const random = createRandom(31);
  return Array.from({ length: count }, () => {
    const scale = 0.05 + random(1000) / 1000;
    const part = () => fround(scale * (0.3 + random(800_000) / 999_983));
    const zeroPoint = () => random(256);
    return [
      { scale: part(), zeroPoint: zeroPoint() },
      { scale: part(), zeroPoint: zeroPoint() },
      { scale: fround(scale), zeroPoint: zeroPoint() },
    ] as const;
  });
}

t.test('sums: every pair comes out as on arm64 and as in TensorFlow Lite', async (t) => {
  let moved = 0;
  const cases = [...OFFICIAL, ...randomAffines(40)];
  let perfect = 0;
  for (const [at, [a, b, sum]] of cases.entries()) {
    const zeros = [a.zeroPoint, b.zeroPoint, sum.zeroPoint] as const;
    const ratios = additionRatios(a, b, sum);
    const found = await everyPair('QLinearAdd', ratios, zeros);
    const onArm = arm64Sum(ratios, zeros);
    const different = differing(found, onArm);
    if (different > 0) t.fail(`${different} pairs differ on arm64: ${JSON.stringify([a, b, sum])}`);
    const wrong = differing(found, xnnpackSum(a, b, sum));
    if (wrong > 2) t.fail(`${wrong} pairs differ from TensorFlow Lite`);
    perfect += wrong === 0 ? 1 : 0;
    if (at < OFFICIAL.length) t.equal(wrong, 0);
    const plain = [fround(a.scale / sum.scale), fround(b.scale / sum.scale)] as const;
    const apart = differing(await everyPair('QLinearAdd', plain, zeros), arm64Sum(plain, zeros));
    moved += apart > 0 ? 1 : 0;
    for (const [which, ratio] of ratios.entries()) {
      const change = Math.abs(ratio / (plain[which] ?? 1) - 1);
      if (change > 2e-5) t.fail(`a ratio was moved by ${change}`);
    }
  }
  t.ok(moved > 10, `${moved} of ${cases.length} sums would have differed unmoved`);
  t.ok(perfect >= 0.9 * cases.length, `${perfect} of ${cases.length} are TensorFlow Lite's`);
});

t.test('products: every pair comes out alike with and without fused multiply-add', async (t) => {
  for (const [a, b, { zeroPoint }] of randomAffines(40)) {
    const product = { scale: fround(a.scale * b.scale * 97), zeroPoint };
    const ratio = productRatio(a, b, product);
    const zeros = [a.zeroPoint, b.zeroPoint, zeroPoint] as const;
    const found = await everyPair('QLinearMul', [ratio, 1], zeros);
    const fused = A.map((value, pair) => {
      const real = fround(
        (value - a.zeroPoint) * ((B[pair] ?? 0) - b.zeroPoint) * ratio + zeroPoint,
      );
      return clamp(toEven(real));
    });
    const different = differing(found, fused);
    if (different > 0) t.fail(`${different} products differ: ${JSON.stringify([a, b, product])}`);
  }
  t.pass('40 of 40');
});

t.test('where half of all sums lie on a half, the kernels still agree', async (t) => {
  const a = { scale: 0.5, zeroPoint: 100 };
  const zeros = [100, 90, 3] as const;
  const ratios = additionRatios(a, { ...a, zeroPoint: 90 }, { scale: 1, zeroPoint: 3 });
  const plain = await everyPair('QLinearAdd', [0.5, 0.5], zeros);
  t.ok(differing(plain, arm64Sum([0.5, 0.5], zeros)) > 10_000, 'unmoved they do not');
  t.equal(differing(await everyPair('QLinearAdd', ratios, zeros), arm64Sum(ratios, zeros)), 0);
});

t.test('scales far apart, and none at all, are left alone', (t) => {
  const at = (scale: number) => ({ scale, zeroPoint: 7 });
  t.same(additionRatios(at(1000), at(1), at(2)), [500, 0.5]);
  t.same(additionRatios(at(Number.NaN), at(1), at(1)), [Number.NaN, 1]);
  t.equal(productRatio(at(100), at(10), at(1)), 1000);
  t.end();
});
