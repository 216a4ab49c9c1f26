import t from 'tap';
import type { ModelOutput, SsdHead } from '#mobilenetd/models/variant.js';
import { createAnchors, decodeDetections, type SsdLayerValues } from '#mobilenetd/vision/ssd.js';

function output(name: string, type: 'uint8' | 'float32', scale = 1, zeroPoint = 0): ModelOutput {
  return { name, type, scale, zeroPoint };
}

const float = output('float', 'float32');

/** Two rows and columns of one square anchor of half the side, three classes. */
function smallHead(boxes = float, scores = float): SsdHead {
  return {
    kind: 'ssd',
    classes: 3,
    layers: [{ boxes, scores, stride: 8 }],
    anchors: {
      referenceSize: 16,
      minScale: 0.5,
      maxScale: 0.5,
      aspectRatios: [1],
      reduceBoxesInLowestLayer: false,
      interpolatedScaleAspectRatio: 0,
    },
    boxScales: [10, 10, 5, 5],
  };
}

/** Outputs of the small head: no object but the given ones. */
function values(
  objects: readonly {
    anchor: number;
    index: number;
    logit: number;
    box?: readonly number[];
  }[],
): SsdLayerValues[] {
  const scores = new Float32Array(12).fill(-20);
  const boxes = new Float32Array(16);
  for (const { anchor, index, logit, box } of objects) {
    scores[anchor * 3 + index] = logit;
    if (box !== undefined) boxes.set(box, anchor * 4);
  }
  return [{ boxes, scores }];
}

function rounded(numbers: Iterable<number>): number[] {
  return Array.from(numbers, (value) => Math.round(value * 1e5) / 1e5);
}

const head = smallHead();
const anchors = createAnchors(head, 16, 16);

t.test('anchors of one layer: row by row, centre y, x, height, width', async (t) => {
  t.same(
    rounded(anchors.boxes),
    [
      [0.25, 0.25, 0.5, 0.5],
      [0.25, 0.75, 0.5, 0.5],
      [0.75, 0.25, 0.5, 0.5],
      [0.75, 0.75, 0.5, 0.5],
    ].flat(),
  );
});

t.test('anchors keep their size in pixels at another input size', async (t) => {
  const wide = createAnchors(head, 16, 32);
  t.same(wide.layers, [{ first: 0, rows: 2, columns: 4, anchorsPerCell: 1 }]);
  t.same(rounded(wide.boxes.subarray(0, 4)), [0.25, 0.125, 0.5, 0.25]);
});

t.test('anchors of the COCO detector equal the ones stored in its model', async (t) => {
  const coco: SsdHead = {
    ...head,
    classes: 91,
    layers: [16, 32, 64, 128, 256, 512].map((stride) => ({ boxes: float, scores: float, stride })),
    anchors: {
      referenceSize: 300,
      minScale: 0.2,
      maxScale: 0.95,
      aspectRatios: [1, 2, 0.5, 3, 0.3333],
      reduceBoxesInLowestLayer: true,
      interpolatedScaleAspectRatio: 1,
    },
  };
  const { boxes, layers } = createAnchors(coco, 300, 300);
  t.equal(boxes.length / 4, 1917);
  t.same(
    layers.map(({ rows }) => rows),
    [19, 10, 5, 3, 2, 1],
  );
  t.same(
    layers.map(({ first }) => first),
    [0, 1083, 1683, 1833, 1887, 1911],
  );
  // top, left, bottom, right from the tensor Postprocessor/ExpandDims of the published model
  const stored: [number, readonly number[]][] = [
    [0, [-0.02368421, -0.02368421, 0.07631579, 0.07631579]],
    [1, [-0.04439489, -0.11510557, 0.09702647, 0.16773716]],
    [2, [-0.11510557, -0.04439489, 0.16773716, 0.09702647]],
    [1083, [-0.125, -0.125, 0.225, 0.225]],
    [1084, [-0.07374368, -0.19748737, 0.17374368, 0.29748738]],
    [1088, [-0.15916501, -0.15916501, 0.25916502, 0.25916502]],
  ];
  for (const [index, [top = 0, left = 0, bottom = 0, right = 0]] of stored) {
    t.same(
      rounded(boxes.subarray(index * 4, index * 4 + 4)),
      rounded([(top + bottom) / 2, (left + right) / 2, bottom - top, right - left]),
      `anchor ${index}`,
    );
  }
});

t.test('a box without an offset is its anchor, and logit 0 is one half', async (t) => {
  const outputs = values([{ anchor: 1, index: 2, logit: 0 }]);
  t.same(decodeDetections(outputs, head, anchors, { threshold: 0.5 }), [
    { index: 2, score: 0.5, box: [0.5, 0, 0.5, 0.5] },
  ]);
  t.same(decodeDetections(outputs, head, anchors, { threshold: 0.51 }), []);
});

t.test('offsets move and scale the anchor; boxes are clipped to the picture', async (t) => {
  // y = .25 + 1/10·.5 = .3, x = .75 − .05 = .7, height = .5·e^(ln 2) = 1, width = .5·e^(−ln 2) = .25
  const box = [1, -1, 5 * Math.LN2, -5 * Math.LN2];
  const outputs = values([{ anchor: 1, index: 1, logit: 3, box }]);
  const [found] = decodeDetections(outputs, head, anchors, { threshold: 0.5 });
  t.same(rounded(found?.box ?? []), [0.575, 0, 0.25, 0.8]);
  t.equal(found?.score.toFixed(6), (1 / (1 + Math.exp(-3))).toFixed(6));
});

t.test('the background never counts', async (t) => {
  const outputs = values([{ anchor: 0, index: 0, logit: 9 }]);
  t.same(decodeDetections(outputs, head, anchors, { threshold: 0.01 }), []);
});

t.test('overlapping boxes of one class are one object, of two classes two', async (t) => {
  // anchor 1 moved onto anchor 0 but for .1 of .5: IoU = .4 / .6 = .67
  const near = [0, -8, 0, 0];
  const pair = (second: number) =>
    values([
      { anchor: 0, index: 1, logit: 1 },
      { anchor: 1, index: second, logit: 2, box: near },
    ]);
  const run = (second: number, iouThreshold?: number) =>
    decodeDetections(pair(second), head, anchors, {
      threshold: 0.5,
      ...(iouThreshold === undefined ? {} : { iouThreshold }),
    }).map(({ index, box }) => [index, ...rounded(box)]);
  t.same(run(1), [[1, 0.1, 0, 0.5, 0.5]], 'the better one stays');
  t.same(run(1, 0.7), [
    [1, 0.1, 0, 0.5, 0.5],
    [1, 0, 0, 0.5, 0.5],
  ]);
  t.same(run(2), [
    [2, 0.1, 0, 0.5, 0.5],
    [1, 0, 0, 0.5, 0.5],
  ]);
});

t.test('best first, at most maxDetections', async (t) => {
  const outputs = values([
    { anchor: 0, index: 1, logit: 1 },
    { anchor: 1, index: 2, logit: 3 },
    { anchor: 2, index: 1, logit: 2 },
  ]);
  const indices = (maxDetections: number) =>
    decodeDetections(outputs, head, anchors, { threshold: 0.5, maxDetections }).map(
      (d) => d.box[1],
    );
  t.same(indices(10), [0, 0.5, 0]);
  t.same(indices(2), [0, 0.5]);
});

t.test('quantized outputs: compared as stored, on the step itself too', async (t) => {
  const quantized = smallHead(output('b', 'uint8', 0.5, 100), output('s', 'uint8', 0.25, 128));
  const scores = new Uint8Array(12).fill(0);
  const boxes = new Uint8Array(16).fill(100);
  boxes[5] = 84; // anchor 1: x offset −8
  scores[1 * 3 + 2] = 132; // logit 1
  scores[2 * 3 + 1] = 131; // logit .75
  const at = (threshold: number) =>
    decodeDetections([{ boxes, scores }], quantized, anchors, { threshold });
  const one = 1 / (1 + Math.exp(-1));
  t.same(
    at(one).map(({ index, score, box }) => [index, score, ...rounded(box)]),
    [[2, one, 0.1, 0, 0.5, 0.5]],
  );
  t.equal(at(0.67).length, 2);
  t.equal(at(one + 1e-6).length, 0);
});

t.test('damaged numbers are no objects and do no harm', async (t) => {
  const outputs = values([
    { anchor: 0, index: 1, logit: Number.NaN },
    { anchor: 1, index: 1, logit: 2, box: [Number.NaN, 0, 0, 0] },
    { anchor: 2, index: 1, logit: 2, box: [0, 0, 1e4, 1e4] },
    { anchor: 3, index: 2, logit: 1e9, box: [0, 0, -1e6, 0] },
  ]);
  for (const detection of decodeDetections(outputs, head, anchors, { threshold: 0.1 })) {
    t.ok(detection.box.every((value) => value >= 0 && value <= 1));
  }
});

t.test(
  'a threshold of 0 takes everything, of 1 nothing; calls do not disturb each other',
  async (t) => {
    const outputs = values([{ anchor: 0, index: 1, logit: 1 }]);
    const everything = { threshold: 0, iouThreshold: 1, maxDetections: 1000 };
    t.equal(decodeDetections(outputs, head, anchors, everything).length, 8);
    t.equal(decodeDetections(outputs, head, anchors, { threshold: 1 }).length, 0);
    t.equal(decodeDetections(outputs, head, anchors, { threshold: 0.5 }).length, 1);
  },
);

t.test('more candidates than the scratch holds at first', async (t) => {
  const large = createAnchors(head, 512, 512);
  const count = large.boxes.length / 4;
  const outputs = [{ boxes: new Float32Array(count * 4), scores: new Float32Array(count * 3) }];
  outputs[0]?.scores.fill(1);
  const options = { threshold: 0.5, maxDetections: 3000, iouThreshold: 1 };
  t.equal(decodeDetections(outputs, head, large, options).length, 3000);
});

t.test('outputs of another length are refused', async (t) => {
  const [whole] = values([]);
  if (whole === undefined) throw new Error('no values');
  const run = (outputs: SsdLayerValues[]) => () =>
    decodeDetections(outputs, head, anchors, { threshold: 0.5 });
  t.throws(run([]), { code: 'MND_MODEL_MISMATCH' });
  t.throws(run([{ ...whole, boxes: whole.boxes.subarray(1) }]), { code: 'MND_MODEL_MISMATCH' });
  t.throws(run([{ ...whole, scores: whole.scores.subarray(1) }]), { code: 'MND_MODEL_MISMATCH' });
});
