import type { Frame } from '#mobilenetd/camera/source.js';
import { convertNetwork, readTflite } from '#mobilenetd/convert/convert.js';
import type { ConvertedModel } from '#mobilenetd/convert/converted-model.js';
import { makeIntegers } from '#mobilenetd/convert/onnx-integers/integers.js';
import { planIntegers } from '#mobilenetd/convert/onnx-integers/plan.js';
import { withOutputs } from '#mobilenetd/convert/onnx-integers/rebuild.js';
import type { ChannelRanges } from '#mobilenetd/convert/onnx-integers/stored-scales.js';
import { readOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { parseOnnx } from '#mobilenetd/convert/own-onnx/parse.js';
import { NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { calibrateNetwork } from '#mobilenetd/models/install/calibrate.js';
import { asFloat } from '../as-float.js';
import { edgeImpulseModel } from '../build-edge-impulse.js';
import { fomoModel } from '../build-fomo.js';
import { kerasModel } from '../build-keras.js';
import { buildTflite } from '../build-tflite.js';
import { detectorSpec } from '../own-onnx/build-detectors.js';
import { classifierSpec, encodeOnnx } from '../own-onnx/build-onnx.js';
import { squeezed, structureFile } from '../own-onnx/build-structures.js';
import { type Random, randomPicture } from '../random.js';
import { mutateBytes } from './mutate.js';
import { pick, type Target } from './targets.js';

/** Operators stand before weights, which make up most of a file: damage that is to be found there. */
const OPERATORS_BYTES = 6000;

function damaged(file: Uint8Array, random: Random): Uint8Array {
  if (random(4) === 0) return mutateBytes(file, random);
  const [front, rest] = [file.subarray(0, OPERATORS_BYTES), file.subarray(OPERATORS_BYTES)];
  return Buffer.concat([mutateBytes(front, random), rest]);
}

const OPTIONS = { ...NO_PICTURE_OPTIONS, scaling: UNIT };

/** What a run might say of a value; now and then numbers that no picture gives. */
function someRanges(channels: number, random: Random): ChannelRanges {
  const odd = random(8) === 0 ? pick([Number.NaN, Number.POSITIVE_INFINITY, 0], random) : null;
  const values = (least: number, span: number) =>
    Array.from({ length: channels }, (_, at) =>
      odd !== null && at === 0 ? odd : least + (span * random(100)) / 100,
    );
  return { low: values(-4, 4), high: values(0, 4), mean: values(-1, 2) };
}

/** The convolutions of damaged ONNX networks made integers, as models add does with --calibrate. */
export function onnxIntegersTarget(): Target {
  const files = [
    structureFile('nanodet'),
    structureFile('picodet', 1, 10),
    structureFile('ssdlite', 2, 13),
    squeezed(),
    encodeOnnx(detectorSpec('ssd', { height: 32 })),
    encodeOnnx(classifierSpec()),
  ];
  return {
    name: 'onnx-integers',
    codes: /^MND_(MODEL_|USAGE)/,
    runtimeMayRefuse: true,
    sample(random) {
      const file = damaged(pick(files, random), random);
      const reduced = random(2) === 0;
      const float = (): ConvertedModel => {
        const { kind, model } = readOwnOnnx(file, OPTIONS);
        if (kind === 'classifier') return model;
        const cells = { name: [...model.outputs.keys()][0] ?? '', type: 'float32' } as const;
        const output = { ...cells, scale: 1, zeroPoint: 0 };
        const grid = { kind: 'grid', classes: 1, rows: 1, columns: 1, scores: 'softmax' } as const;
        return { ...model, head: { ...grid, cells: output } };
      };
      return {
        bytes: file.length,
        madeOf: float,
        read() {
          return () => {
            // What reading takes is measured with smaller files.
            const model = float();
            const parsed = parseOnnx(model.onnx);
            const plan = planIntegers(parsed);
            withOutputs(parsed, [...plan.stored]);
            const widths = new Map(
              plan.convolutions.flatMap(({ input, output, weights, groups }) => [
                [input, (weights.dims[1] ?? 1) * groups],
                [output, weights.dims[0] ?? 1],
              ]),
            );
            const ranges = new Map(
              [...widths].map(([name, channels]) => [name, someRanges(channels, random)]),
            );
            return { ...model, onnx: makeIntegers(parsed, plan, ranges, reduced).onnx };
          };
        },
      };
    },
  };
}

/** Damaged float networks that are measured on a picture and made integers: the whole way of --calibrate. */
export function calibratedTarget(): Target {
  const files = [
    buildTflite(asFloat(fomoModel({ height: 16, width: 24 }).model)),
    buildTflite(kerasModel({ wrapping: 'float32', pool: 'average' }).model),
    buildTflite(asFloat(edgeImpulseModel(16, 1).model)),
  ];
  const frames: readonly Frame[] = [
    {
      camera: 'test',
      sequence: 1,
      capturedAt: 0,
      time: 0,
      width: 32,
      height: 32,
      format: 'rgb24',
      range: 'full',
      bytes: randomPicture(32, 1),
    },
  ];
  return {
    name: 'calibrated',
    codes: /^MND_(MODEL_|USAGE)/,
    runtimeMayRefuse: false,
    cost: 10,
    sample(random) {
      const file = mutateBytes(pick(files, random), random);
      const form = pick(['symmetric', 'reduced'] as const, random);
      return {
        bytes: file.length,
        read() {
          const network = readTflite(file, OPTIONS);
          return async () => {
            const calibration = await calibrateNetwork(network, { frames, centralCrop: 1 });
            return convertNetwork(network, { form, calibration });
          };
        },
      };
    },
  };
}
