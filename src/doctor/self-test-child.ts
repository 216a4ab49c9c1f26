import type { Graph, Operator, Tensor } from '../convert/graph.js';
import { writeOnnx } from '../convert/onnx/write.js';
import { ort, sessionOptions } from '../inference/runtime.js';

const SIDE = 16;
const CHANNELS = 32;
const GREY = 100;
/** Powers of two: every product and sum below is exact. */
const SCALE = 1 / 64;
const WEIGHT = 2;

function activation(name: string, side: number, channels: number): Tensor {
  const quantization = { scale: [SCALE], zeroPoint: [0], axis: null };
  return { name, type: 'uint8', shape: [1, side, side, channels], quantization, data: null };
}

function weights(name: string, shape: readonly number[]): Tensor {
  const count = shape.reduce((product, side) => product * side, 1);
  const quantization = { scale: [SCALE], zeroPoint: [0], axis: null };
  return { name, type: 'int8', shape, quantization, data: new Int8Array(count).fill(WEIGHT) };
}

/** A 3×3 convolution and a depthwise one, the two kinds of which MobileNet is made. */
function testGraph(): Graph {
  const tensors = [
    activation('picture', SIDE, 3),
    weights('full', [CHANNELS, 3, 3, 3]),
    activation('middle', SIDE - 2, CHANNELS),
    weights('depthwise', [3, 3, CHANNELS]),
    activation('answer', SIDE - 4, CHANNELS),
  ];
  const convolution = {
    kind: 'conv',
    bias: null,
    stride: [1, 1],
    dilation: [1, 1],
    padding: 'valid',
    activation: 'none',
  } as const;
  const operators: Operator[] = [
    { ...convolution, input: 'picture', weights: 'full', output: 'middle', depthwise: false },
    { ...convolution, input: 'middle', weights: 'depthwise', output: 'answer', depthwise: true },
  ];
  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    operators,
    inputs: ['picture'],
    outputs: ['answer'],
  };
}

/** The same in plain arithmetic: a grey picture stays uniform. */
function expected(): number {
  const convolve = (value: number, taps: number) => Math.round(value * WEIGHT * SCALE * taps);
  return convolve(convolve(GREY, 27), 9);
}

const session = await ort.InferenceSession.create(
  writeOnnx(testGraph()),
  sessionOptions(1, 'exact'),
);
const picture = new Uint8Array(SIDE * SIDE * 3).fill(GREY);
const input = new ort.Tensor('uint8', picture, [1, SIDE, SIDE, 3]);
const { answer } = await session.run({ picture: input });
const wanted = expected();
const wrong = Array.from(answer?.data ?? [], Number).find((value) => value !== wanted);
if (answer === undefined || wrong !== undefined) {
  throw new Error(`the quantized test network gave ${wrong}, not ${wanted}`);
}
process.stdout.write(`${ort.env.versions.node ?? 'it'} loads, and computes what it should\n`);
process.exit(0);
