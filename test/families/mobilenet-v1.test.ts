import t from 'tap';
import { MOBILENET_V1, scaledChannels } from '#mobilenetd/families/mobilenet-v1.js';

const IMAGENET = 1001;

// arXiv 1704.04861, tables 6 and 7: million multiply-adds and million parameters.
const PAPER: readonly (readonly [
  alpha: number,
  size: number,
  multAdds: number,
  parameters: number,
])[] = [
  [1, 224, 569, 4.2],
  [0.75, 224, 325, 2.6],
  [0.5, 224, 149, 1.3],
  [0.25, 224, 41, 0.5],
  [1, 192, 418, 4.2],
  [1, 160, 291, 4.2],
  [1, 128, 186, 4.2],
];

t.test('multiply-adds and parameters are those of the paper', async (t) => {
  for (const [alpha, size, multAdds, parameters] of PAPER) {
    const { totals } = MOBILENET_V1.describe({ alpha, size, classes: IMAGENET });
    const millions = totals.multAdds / 1e6;
    t.ok(Math.abs(millions - multAdds) < 0.6, `α ${alpha}, ${size} px: ${millions} M`);
    t.equal((totals.parameters / 1e6).toFixed(1), parameters.toFixed(1), `α ${alpha} parameters`);
  }
});

t.test('the depthwise-separable saving is that of the paper', async (t) => {
  const { totals, layers } = MOBILENET_V1.describe({ alpha: 1, size: 224, classes: IMAGENET });
  // Table 4: the network with full convolutions has 4866 M multiply-adds and 29.3 M parameters.
  t.ok(Math.abs(totals.standardMultAdds / 1e6 - 4866) < 2, `${totals.standardMultAdds}`);
  t.equal((totals.standardParameters / 1e6).toFixed(1), '29.3');
  // §3.1: one pair costs 1/N + 1/D² of the full convolution with N outputs and a D×D kernel.
  for (let index = 1; index + 2 < layers.length; index += 2) {
    const depthwise = layers[index];
    const pointwise = layers[index + 1];
    if (depthwise === undefined || pointwise === undefined) continue;
    const [height, width, channels] = pointwise.output;
    const full = 9 * depthwise.input[2] * channels * height * width;
    const share = (depthwise.multAdds + pointwise.multAdds) / full;
    t.ok(Math.abs(share - (1 / channels + 1 / 9)) < 1e-12, `${pointwise.name}: ${share}`);
  }
});

t.test('layers follow each other in the shapes of table 1', async (t) => {
  const { layers } = MOBILENET_V1.describe({ alpha: 1, size: 224, classes: 1000 });
  t.equal(layers.length, 29);
  t.strictSame(layers[0]?.output, [112, 112, 32]);
  t.strictSame(layers.find(({ name }) => name === 'Conv2d_6_pointwise')?.output, [14, 14, 512]);
  t.strictSame(layers.find(({ name }) => name === 'Conv2d_13_pointwise')?.output, [7, 7, 1024]);
  t.match(layers.at(-2), { kind: 'average-pool', kernel: 7, output: [1, 1, 1024], multAdds: 0 });
  t.match(layers.at(-1), { kind: 'classifier', output: [1, 1, 1000], parameters: 1025 * 1000 });
  for (const [index, layer] of layers.entries()) {
    if (index > 0) t.strictSame(layer.input, layers[index - 1]?.output, layer.name);
  }
});

t.test(
  'the resolution multiplier scales multiply-adds by its square, but for the last layer',
  async (t) => {
    const conv = (size: number) => {
      const { layers } = MOBILENET_V1.describe({ alpha: 0.5, size, classes: IMAGENET });
      return layers.slice(0, -1).reduce((sum, layer) => sum + layer.multAdds, 0);
    };
    t.equal(conv(128) * (224 / 128) ** 2, conv(224));
  },
);

t.test('narrow networks keep at least 8 channels', async (t) => {
  t.equal(scaledChannels(32, 0.1), 8);
  t.equal(scaledChannels(1024, 0.3), 307);
  const { layers } = MOBILENET_V1.describe({ alpha: 0.01, size: 32, classes: 2 });
  t.ok(layers.slice(0, -1).every(({ output }) => output[2] >= 8));
});

t.test('arguments out of range are refused', async (t) => {
  const good = { alpha: 1, size: 224, classes: 10 };
  for (const bad of [
    { alpha: 0 },
    { alpha: 1.01 },
    { alpha: Number.NaN },
    { size: 100 },
    { size: 0 },
    { size: 8192 },
    { classes: 0 },
    { classes: 1.5 },
  ]) {
    t.throws(() => MOBILENET_V1.describe({ ...good, ...bad }), { code: 'MND_USAGE' });
  }
});
