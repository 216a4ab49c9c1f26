import { convertNetwork, readTflite } from '#mobilenetd/convert/convert.js';
import type { ConvertedModel } from '#mobilenetd/convert/converted-model.js';
import { convertDetectorGraph } from '#mobilenetd/convert/float-detector.js';
import { readOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { readTfjsNetwork } from '#mobilenetd/convert/tfjs/network.js';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { fitLabels, parseLabels } from '#mobilenetd/models/labels.js';
import { edgeImpulseModel } from '../build-edge-impulse.js';
import { fomoModel } from '../build-fomo.js';
import { kerasModel } from '../build-keras.js';
import { mobilenetV1Spec } from '../build-mobilenet.js';
import { mobilenetV3Spec } from '../build-mobilenet-v3.js';
import { smallSpec } from '../build-small.js';
import { ssdModel } from '../build-ssd.js';
import { buildTflite } from '../build-tflite.js';
import { detectorSpec } from '../own-onnx/build-detectors.js';
import { classifierSpec, encodeOnnx } from '../own-onnx/build-onnx.js';
import type { Random } from '../random.js';
import { classifierGraphModel } from '../tfjs/build-graph-classifier.js';
import { plainModel, quantizedModel, teachableModel } from '../tfjs/build-layers.js';
import { buildDetector } from '../tfjs/build-tfjs.js';
import { calibratedTarget, onnxIntegersTarget } from './integer-targets.js';
import { mutateBytes, mutateJson } from './mutate.js';

/** A damaged input: its size in bytes, and what reads it. */
export interface Sample {
  readonly bytes: number;
  /**
   * Reads it; what comes back writes the model, or is null for what is no model (a label file). Both
   * throw a coded error for what they refuse.
   */
  read(): (() => ConvertedModel | Promise<ConvertedModel>) | null;
  /** What runs wherever onnxruntime runs this: a form that was made of it; absent for none. */
  readonly madeOf?: () => ConvertedModel;
}

/** A reader under test and a source of damaged inputs for it. */
export interface Target {
  readonly name: string;
  /** Codes that a refusal may have begin with this. */
  readonly codes: RegExp;
  /** Whether onnxruntime's own refusal counts: the daemon makes it MND_MODEL_VERIFY. */
  readonly runtimeMayRefuse: boolean;
  /** Inputs that one of others costs; absent: 1. */
  readonly cost?: number;
  sample(random: Random): Sample;
}

const FORMS = ['exact', 'symmetric', 'reduced', 'float32'] as const;

export const pick = <T>(items: readonly T[], random: Random): T => {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
};

function tfliteTarget(): Target {
  const files = [
    buildTflite(fomoModel({ height: 16, width: 24 }).model),
    ...[1, 2, 3].map((seed) => buildTflite(smallSpec(seed))),
    buildTflite(kerasModel({ wrapping: 'uint8', pool: 'mean', hidden: true }).model),
    buildTflite(kerasModel({ wrapping: 'float32', pool: 'average' }).model),
    buildTflite(edgeImpulseModel(16, 1).model),
    buildTflite(ssdModel().model),
    buildTflite(mobilenetV1Spec({ alpha: 0.1, size: 32, classes: 4 })),
    buildTflite(
      mobilenetV3Spec({ kind: 'small', size: 32, classes: 4, shortened: 10, head: [16, 24] }),
    ),
  ];
  return {
    name: 'tflite',
    codes: /^MND_MODEL_/,
    runtimeMayRefuse: false,
    sample(random) {
      const file = mutateBytes(pick(files, random), random);
      const form = pick(FORMS, random);
      return {
        bytes: file.length,
        read() {
          const network = readTflite(file);
          return () => convertNetwork(network, { form });
        },
      };
    },
  };
}

function tfjsTarget(): Target {
  const { document, shards } = buildDetector();
  const encoder = new TextEncoder();
  const text = encoder.encode(JSON.stringify(document));
  return {
    name: 'tfjs',
    codes: /^MND_MODEL_/,
    runtimeMayRefuse: false,
    sample(random) {
      const what = random(4);
      const modelJson =
        what === 0
          ? mutateBytes(text, random)
          : what < 3
            ? encoder.encode(JSON.stringify(mutateJson(document, random)))
            : text;
      const damaged = random(shards.length);
      const files = shards.map((shard, index) =>
        what === 3 && index === damaged ? mutateBytes(shard, random) : shard,
      );
      const bytes = files.reduce((sum, shard) => sum + shard.length, modelJson.length);
      return {
        bytes,
        read() {
          const graph = readTfjs({ modelJson, shards: files });
          return () => convertDetectorGraph(graph, { form: 'float32', calibration: null });
        },
      };
    },
  };
}

async function tfjsClassifierTarget(): Promise<Target> {
  const layers = await teachableModel({ size: 16 });
  const models = [
    layers,
    quantizedModel(layers, 'uint8'),
    await plainModel(),
    classifierGraphModel(),
  ];
  const encoder = new TextEncoder();
  const scalings = [null, UNIT];
  return {
    name: 'tfjs-classifier',
    codes: /^MND_MODEL_/,
    runtimeMayRefuse: false,
    sample(random) {
      const { document, shards } = pick(models, random);
      const text = encoder.encode(JSON.stringify(document));
      const what = random(4);
      const changed = what === 0 ? mutateBytes(text, random) : null;
      const modelJson =
        changed ?? (what < 3 ? encoder.encode(JSON.stringify(mutateJson(document, random))) : text);
      const files = what === 3 ? shards.map((shard) => mutateBytes(shard, random)) : shards;
      const scaling = pick(scalings, random);
      const bytes = files.reduce((sum, shard) => sum + shard.length, modelJson.length);
      return {
        bytes,
        read() {
          const options = { ...NO_PICTURE_OPTIONS, scaling };
          const network = readTfjsNetwork({ modelJson, shards: files }, options);
          return () => convertNetwork(network, { form: 'float32' });
        },
      };
    },
  };
}

function onnxTarget(): Target {
  const files = [
    classifierSpec(),
    classifierSpec({ layout: 'nhwc', end: 'logits', batch: 'N' }),
    classifierSpec({ channels: 1, type: 'uint8', end: 'softmax-flatten' }),
    classifierSpec({ quantized: true, metadata: { mean: '0', scale: '0.01' } }),
    classifierSpec({ old: true, opset: 9 }),
    detectorSpec('yolov8', { height: 32 }),
    detectorSpec('picodet', { height: 64 }),
    detectorSpec('ssd', { height: 32 }),
    detectorSpec('tf-list', { height: 32 }),
  ].map(encodeOnnx);
  const scalings = [null, { mean: [0], scale: [1] }, { mean: [1, 2, 3], scale: [1, 1.1, 0.9] }];
  return {
    name: 'onnx',
    codes: /^MND_(MODEL_|USAGE)/,
    runtimeMayRefuse: true,
    sample(random) {
      const file = mutateBytes(pick(files, random), random);
      const scaling = pick(scalings, random);
      return {
        bytes: file.length,
        read() {
          const read = readOwnOnnx(file, { ...NO_PICTURE_OPTIONS, scaling });
          // What a detector's outputs are only a run tells; here a form of its own stands for that.
          const head = {
            kind: 'grid',
            classes: 1,
            rows: 1,
            columns: 1,
            scores: 'softmax',
          } as const;
          const [cells = ''] = read.kind === 'detector' ? read.model.outputs.keys() : [];
          const output = { name: cells, type: 'float32', scale: 1, zeroPoint: 0 } as const;
          return () =>
            read.kind === 'classifier'
              ? read.model
              : { ...read.model, head: { ...head, cells: output } };
        },
      };
    },
  };
}

function labelsTarget(): Target {
  const encoder = new TextEncoder();
  const list = (count: number, line: (index: number) => string) =>
    encoder.encode(Array.from({ length: count }, (_, index) => line(index)).join('\n'));
  const files = [
    list(1001, (index) => (index === 0 ? 'background' : `class ${index}`)),
    list(1000, (index) => `Klasse Nr. ${index} äöü €`),
    list(6, (index) => `${index} cat`),
    list(91, (index) => (index % 9 === 0 ? '???' : `thing ${index}\r`)),
    new Uint8Array(),
  ];
  const output = { name: 'logits', type: 'float32', scale: 1, zeroPoint: 0 } as const;
  const heads = [1000, 1001, 6, 91].map(
    (classes) => ({ kind: 'classifier', classes, logits: output }) as const,
  );
  return {
    name: 'labels',
    codes: /^MND_LABELS_INVALID$/,
    runtimeMayRefuse: false,
    sample(random) {
      const file = mutateBytes(pick(files, random), random);
      const head = pick(heads, random);
      return {
        bytes: file.length,
        read() {
          const labels = fitLabels(parseLabels(file, 'labels.txt'), head, 'labels.txt');
          if (labels.length !== head.classes) throw new Error(`${labels.length} labels`);
          return null;
        },
      };
    },
  };
}

export const TARGETS: readonly (() => Target | Promise<Target>)[] = [
  onnxIntegersTarget,
  calibratedTarget,
  tfliteTarget,
  tfjsTarget,
  tfjsClassifierTarget,
  onnxTarget,
  labelsTarget,
];
