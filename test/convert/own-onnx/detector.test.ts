import t from 'tap';
import { readOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { ort, sessionOptions } from '#mobilenetd/inference/runtime.js';
import { measureBoxes } from '#mobilenetd/models/install/measure-boxes.js';
import { decodeBoxes } from '#mobilenetd/vision/boxes.js';
import { randomPicture } from '../random.js';
import {
  cellsIn,
  type DetectorKind,
  type DetectorOptions,
  detectorSpec,
} from './build-detectors.js';
import { encodeOnnx, FLOAT, valueInfo } from './build-onnx.js';

const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: UNIT };

/** A box in pixels. */
interface Found {
  readonly index: number;
  readonly score: number;
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
}

type Values = Readonly<
  Record<string, { readonly data: ArrayLike<number>; readonly dims: readonly number[] }>
>;
type Sides = readonly [height: number, width: number];

/** Rows of an output [1, rows, columns] or [rows, columns]. */
function rowsOf(values: Values, name: string): number[][] {
  const { data, dims } = values[name] ?? { data: [], dims: [] };
  const columns = dims.at(-1) ?? 1;
  const all = Array.from(data, Number);
  return Array.from({ length: all.length / columns }, (_, row) =>
    all.slice(row * columns, (row + 1) * columns),
  );
}

const best = (scores: readonly number[]) => {
  const score = Math.max(...scores);
  return { index: scores.indexOf(score), score };
};

const around = ([x = 0, y = 0, w = 0, h = 0]: readonly number[]) =>
  [x - w / 2, y - h / 2, x + w / 2, y + h / 2] as const;

const corner = ([a = 0, b = 0, c = 0, d = 0]: readonly number[], x = 1, y = 1) =>
  [a * x, b * y, c * x, d * y] as const;

/** Edges of a cell by the mean of each edge's distribution over 0 to 7 cells. */
function fromDistances(row: readonly number[], x: number, y: number, stride: number) {
  const [left = 0, top = 0, right = 0, bottom = 0] = [0, 1, 2, 3].map((edge) => {
    const powers = row.slice(8 * edge, 8 * edge + 8).map(Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.reduce((total, power, bin) => total + (bin * power) / sum, 0) * stride;
  });
  return [x - left, y - top, x + right, y + bottom] as const;
}

/** What each exporter's own program makes of the outputs, box by box, before overlaps are removed. */
const REFERENCES: Readonly<Record<DetectorKind, (values: Values, sides: Sides) => Found[]>> = {
  yolov8(values) {
    const planes = rowsOf(values, 'output0');
    return (planes[0] ?? []).map((_, cell) => {
      const [x = 0, y = 0, w = 0, h = 0, ...scores] = planes.map((plane) => plane[cell] ?? 0);
      return { ...best(scores), box: around([x, y, w, h]) };
    });
  },
  yolov5: (values) =>
    rowsOf(values, 'output').map((row) => {
      const [x = 0, y = 0, w = 0, h = 0, object = 0, ...scores] = row;
      return { ...best(scores.map((score) => score * object)), box: around([x, y, w, h]) };
    }),
  yolox: (values, sides) => REFERENCES.yolov5(values, sides),
  'yolox-raw': (values, sides) => {
    const cells = cellsIn(sides, [8, 16, 32]);
    return rowsOf(values, 'output').map((row, at) => {
      const { x: column = 0, y: line = 0, stride = 0 } = cells[at] ?? {};
      const [x = 0, y = 0, w = 0, h = 0, object = 0, ...scores] = row;
      const middle = [
        (x + column) * stride,
        (y + line) * stride,
        Math.exp(w) * stride,
        Math.exp(h) * stride,
      ];
      return { ...best(scores.map((score) => score * object)), box: around(middle) };
    });
  },
  nanodet: (values, sides) => {
    const cells = cellsIn(sides, [8, 16, 32, 64]);
    return rowsOf(values, 'output').map((row, at) => {
      const { x = 0, y = 0, stride = 0 } = cells[at] ?? {};
      const box = fromDistances(row.slice(-32), x * stride, y * stride, stride);
      return { ...best(row.slice(0, -32)), box };
    });
  },
  picodet: (values, sides) =>
    [8, 16, 32, 64].flatMap((stride, map) => {
      const distances = rowsOf(values, `transpose_${2 * map + 1}.tmp_0`);
      const cells = cellsIn(sides, [stride]);
      return rowsOf(values, `transpose_${2 * map}.tmp_0`).map((scores, at) => {
        const { x = 0, y = 0 } = cells[at] ?? {};
        const [px, py] = [(x + 0.5) * stride, (y + 0.5) * stride];
        return { ...best(scores), box: fromDistances(distances[at] ?? [], px, py, stride) };
      });
    }),
  ssd(values, [height, width]) {
    const boxes = rowsOf(values, 'boxes');
    return rowsOf(values, 'scores').map(([, ...scores], at) => {
      const { index, score } = best(scores);
      return { index: index + 1, score, box: corner(boxes[at] ?? [], width, height) };
    });
  },
  'paddle-cells'(values) {
    const planes = rowsOf(values, 'scores');
    return rowsOf(values, 'boxes').map((box, cell) => ({
      ...best(planes.map((plane) => plane[cell] ?? 0)),
      box: corner(box),
    }));
  },
  'yolo-list': (values) =>
    rowsOf(values, 'output0').map((row) => ({
      index: row[5] ?? -1,
      score: row[4] ?? 0,
      box: corner(row),
    })),
  'paddle-list': (values) =>
    rowsOf(values, 'multiclass_nms3_0.tmp_0').map(([index = -1, score = 0, ...box]) => ({
      index,
      score,
      box: corner(box),
    })),
  'yolov7-list': (values) =>
    rowsOf(values, 'output').map(([, a = 0, b = 0, c = 0, d = 0, index = -1, score = 0]) => ({
      index,
      score,
      box: corner([a, b, c, d]),
    })),
  'tf-list': (values, [height, width]) => {
    const [scores = []] = rowsOf(values, 'detection_scores:0');
    const [classes = []] = rowsOf(values, 'detection_classes:0');
    return rowsOf(values, 'detection_boxes:0').map(([a = 0, b = 0, c = 0, d = 0], at) => ({
      index: classes[at] ?? -1,
      score: scores[at] ?? 0,
      box: corner([b, a, d, c], width, height),
    }));
  },
  'torch-list': (values) => {
    const [scores = []] = rowsOf(values, 'scores');
    const [classes = []] = rowsOf(values, 'labels');
    return rowsOf(values, 'boxes').map((box, at) => ({
      index: classes[at] ?? -1,
      score: scores[at] ?? 0,
      box: corner(box),
    }));
  },
};

/** Low, so that there is something to compare. */
const LEAST = 0.2;

const LISTS = ['yolo-list', 'paddle-list', 'yolov7-list', 'tf-list', 'torch-list'];

/** Greedy suppression within each class, then boxes cut to the picture. */
function suppressed(
  found: readonly Found[],
  overlap: number,
  least: number,
  [height, width]: Sides,
) {
  const area = ([a, b, c, d]: Found['box']) => (c - a) * (d - b);
  const shared = (p: Found['box'], q: Found['box']) =>
    Math.max(0, Math.min(p[2], q[2]) - Math.max(p[0], q[0])) *
    Math.max(0, Math.min(p[3], q[3]) - Math.max(p[1], q[1]));
  const kept: Found[] = [];
  for (const one of found.filter(({ score }) => score >= least).sort((a, b) => b.score - a.score)) {
    const hidden = kept.some((other) => {
      const common = shared(one.box, other.box);
      return (
        other.index === one.index && common / (area(one.box) + area(other.box) - common) > overlap
      );
    });
    if (!hidden && kept.length < 100) kept.push(one);
  }
  return kept.flatMap(({ index, score, box: [a, b, c, d] }) => {
    const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most);
    const box = [clip(a, width), clip(b, height), clip(c, width), clip(d, height)] as const;
    return box[2] > box[0] && box[3] > box[1] ? [{ index, score, box }] : [];
  });
}

const CASES: readonly (readonly [DetectorKind, DetectorOptions, overlap: number])[] = [
  ['yolov8', { height: 96, classes: 5 }, 0.7],
  ['yolov8', { height: 64, width: 128, classes: 1, seed: 4 }, 0.7],
  ['yolov5', { height: 64, classes: 4 }, 0.7],
  ['yolox', { height: 96, classes: 3 }, 0.7],
  ['yolox-raw', { height: 96, classes: 3 }, 0.7],
  ['nanodet', { height: 128, classes: 6 }, 0.6],
  ['picodet', { height: 128, classes: 7 }, 0.6],
  ['picodet', { height: 64, width: 128, classes: 32, seed: 2 }, 0.6],
  ['ssd', { height: 96, classes: 4 }, 0.45],
  ['paddle-cells', { height: 96, classes: 4 }, 0.6],
  ['yolo-list', { height: 96, classes: 3 }, 1],
  ['paddle-list', { height: 96, classes: 3 }, 1],
  ['yolov7-list', { height: 96, classes: 3 }, 1],
  ['tf-list', { height: 96, classes: 3 }, 1],
  ['torch-list', { height: 64, width: 96, classes: 3 }, 1],
];

for (const [kind, options, overlap] of CASES) {
  const { height = 64, width = height, classes = 3 } = options;
  t.test(
    `${kind}, ${height}×${width}, ${classes} classes: what its own program finds`,
    async (t) => {
      const sides = [height, width] as const;
      const file = encodeOnnx(detectorSpec(kind, options));
      const read = readOwnOnnx(file, PICTURE);
      if (read.kind !== 'detector') throw new Error('no detector');
      const head = await measureBoxes(read.model, classes);
      const ours = await ort.InferenceSession.create(read.model.onnx, sessionOptions(1, 'float32'));
      const original = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
      let count = 0;
      for (let seed = 0; seed < 6; seed += 1) {
        const picture = randomPicture(height, seed, width);
        const planes = new Float32Array(picture.length);
        for (const [at, pixel] of picture.entries()) {
          planes[(at % 3) * height * width + Math.floor(at / 3)] = pixel / 255;
        }
        const feeds: Record<string, ort.Tensor> = {
          images: new ort.Tensor('float32', planes, [1, 3, height, width]),
        };
        if (kind === 'paddle-list') {
          feeds.scale_factor = new ort.Tensor('float32', [1, 1], [1, 2]);
        }
        const raw = await original.run(feeds);
        const values = Object.fromEntries(
          Object.entries(raw).map(([name, { data, dims }]) => [
            name,
            { data: Array.from(data as ArrayLike<number | bigint>, Number), dims },
          ]),
        );
        const expected = suppressed(REFERENCES[kind](values, sides), overlap, LEAST, sides);
        const input = new ort.Tensor('uint8', picture, [1, height, width, 3]);
        const results = await ours.run({ [read.model.input.name]: input });
        const outputs = head.layout.outputs.map(({ name }) => results[name]?.data as Float32Array);
        const found = decodeBoxes(outputs, head, sides, LEAST);
        count += expected.length;
        t.equal(found.length, expected.length, `${found.length} of ${expected.length}`);
        for (const [at, object] of expected.entries()) {
          const { index, score = 0, box = [0, 0, 0, 0] } = found[at] ?? {};
          const [x, y, w, h] = box;
          const mine = [x * width, y * height, (x + w) * width, (y + h) * height];
          const apart = Math.max(
            ...mine.map((side, edge) => Math.abs(side - (object.box[edge] ?? 0))),
          );
          const same = index === object.index && Math.abs(score - object.score) < 1e-4;
          if (!same || apart > 0.02)
            t.fail(`${JSON.stringify(found[at])} for ${JSON.stringify(object)}`);
        }
      }
      await ours.release();
      await original.release();
      t.ok(count > 3, `${count} objects`);
      if (!LISTS.includes(kind)) t.equal(head.classes, kind === 'ssd' ? classes + 1 : classes);
    },
  );
}

/** A file of some outputs, which one operator makes; nothing of it is run. */
function withOutputs(
  shapes: readonly (readonly number[])[],
  metadata: Readonly<Record<string, string>> = {},
  names: readonly string[] = [],
) {
  const outputs = shapes.map((_, at) => names[at] ?? `output${at}`);
  const node = [{ opType: 'Split', input: ['images'], output: outputs, name: 'split' }];
  return encodeOnnx({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'stranger',
      node,
      input: [valueInfo('images', FLOAT, [1, 3, 640, 640])],
      output: shapes.map((shape, at) => valueInfo(outputs[at] ?? '', FLOAT, shape)),
    },
  });
}

t.test('networks that are neither are called by their names', (t) => {
  const cases = [
    [
      withOutputs([
        [1, 116, 8400],
        [1, 32, 160, 160],
      ]),
      /looks like a YOLOv8 segmentation network/,
    ],
    [withOutputs([[1, 56, 8400]]), /looks like a YOLOv8 pose network/],
    [
      withOutputs([[1, 20, 8400]], { task: 'obb' }),
      /looks like an Ultralytics YOLO network \(obb\)/,
    ],
    [withOutputs([[1, 300, 84]]), /looks like an RT-DETR detector/],
    [
      withOutputs(
        [
          [1, 100, 92],
          [1, 100, 4],
        ],
        {},
        ['pred_logits', 'pred_boxes'],
      ),
      /looks like a DETR detector/,
    ],
    [
      withOutputs([
        [1, 3, 80, 80, 85],
        [1, 3, 40, 40, 85],
        [1, 3, 20, 20, 85],
      ]),
      /looks like a YOLOv5 detector without its last layer/,
    ],
    [
      withOutputs([
        [1, 144, 80, 80],
        [1, 144, 40, 40],
        [1, 144, 20, 20],
      ]),
      /looks like a detector whose feature maps come out one by one/,
    ],
    [withOutputs([[1, 21, 65, 65]]), /looks like a segmentation or heat map network/],
  ] as const;
  for (const [file, message] of cases) {
    t.throws(() => readOwnOnnx(file, PICTURE), { code: 'MND_MODEL_SHAPE', message });
  }
  t.end();
});

t.test('what pixels become is asked for, with what is usual for such a network', (t) => {
  const cases = [
    ['yolov8', /this looks like YOLOv8 or YOLO11, whose pictures are in \[0, 1\]/],
    ['yolox', /YOLOX \[0, 255\] and --channels bgr/],
    ['picodet', /this looks like PicoDet, which takes what PyTorch does/],
    ['ssd', /this looks like an SSD: those of pytorch-ssd take --mean 127/],
  ] as const;
  for (const [kind, message] of cases) {
    const file = encodeOnnx(detectorSpec(kind, { height: 320 }));
    t.throws(() => readOwnOnnx(file, NO_PICTURE_OPTIONS), { code: 'MND_MODEL_QUESTION', message });
  }
  const metadata = { author: 'Ultralytics', names: "{0: 'a', 1: \"b's\", 2: 'c'}", task: 'detect' };
  const read = readOwnOnnx(
    encodeOnnx(detectorSpec('yolov8', { height: 320, metadata })),
    NO_PICTURE_OPTIONS,
  );
  t.match(read, { kind: 'detector', model: { labels: ['a', "b's", 'c'] } });
  t.end();
});

t.test('numbers that are no boxes, and labels that do not fit, are refused', async (t) => {
  const detector = (kind: DetectorKind) => {
    const read = readOwnOnnx(encodeOnnx(detectorSpec(kind, { height: 96, classes: 3 })), PICTURE);
    if (read.kind !== 'detector') throw new Error('no detector');
    return read.model;
  };
  await t.rejects(measureBoxes(detector('yolov8'), 4), {
    code: 'MND_MODEL_SHAPE',
    message: /this looks like YOLOv8 or YOLO11, of 3 classes, with 4 labels; give the labels/,
  });
  const noise = detectorSpec('yolov8', { height: 96, classes: 3 }) as {
    graph: { node: { opType: string }[] };
  };
  // Scores without their sigmoid are no scores.
  for (const node of noise.graph.node) if (node.opType === 'Sigmoid') node.opType = 'Identity';
  const read = readOwnOnnx(encodeOnnx(noise), PICTURE);
  if (read.kind !== 'detector') throw new Error('no detector');
  await t.rejects(measureBoxes(read.model, 3), {
    code: 'MND_MODEL_SHAPE',
    message: /output0 \[1, 7, 189\]: this looks like YOLOv8 or YOLO11; take a YOLO/,
  });
});
