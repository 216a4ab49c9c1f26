import type { BoxesHead, CellBoxes, ModelOutput } from '../../models/variant.js';
import { cellsOf, cellsOfMaps, FOUR_MAPS, THREE_MAPS } from '../../vision/cells.js';

/** An output of a network as it comes out of a run. */
export interface OnnxResult {
  readonly name: string;
  readonly dims: readonly number[];
}

/** What a network's outputs may be. */
export interface DetectorGuess {
  /** For people. */
  readonly name: string;
  readonly head: BoxesHead;
}

type Sides = readonly [height: number, width: number];

/** Weights of an edge's distance in NanoDet, PicoDet and the like: 0 to 7 cells. */
const USUAL_BINS = 8;

/** Overlaps and numbers that these networks' own programs use. */
const suppression = (overlap: number, maxDetections = 100) => ({
  maxDetections,
  maxClassesPerBox: null,
  overlap,
  leastScore: 0,
});

const output = ({ name }: OnnxResult): ModelOutput => ({
  name,
  type: 'float32',
  scale: 1,
  zeroPoint: 0,
});

/**
 * Everything that the shapes of a network's outputs allow it to be. Which of them is true only its numbers
 * can tell.
 *
 * @param sides of its picture, pixels
 * @param labels how many there are; null if nobody said
 */
export function guessDetector(
  results: readonly OnnxResult[],
  sides: Sides,
  labels: number | null,
): readonly DetectorGuess[] {
  const known = results.filter(({ name }) => !/num_detections|bbox_num|num_dets$/i.test(name));
  const [first] = known;
  if (first === undefined) return [];
  if (known.length === 1) return [...joined(first, sides, labels), ...rows(first, labels)];
  if (known.length === 2) return [...apart(known, labels), ...maps(known, sides)];
  if (known.length === 3) return listed(known, labels);
  return maps(known, sides);
}

/** One output with all cells: YOLO, YOLOX, NanoDet-Plus. */
function joined(result: OnnxResult, sides: Sides, labels: number | null): DetectorGuess[] {
  const [batch, second = 0, third = 0] = result.dims;
  if (result.dims.length !== 3 || batch !== 1) return [];
  const guesses: DetectorGuess[] = [];
  const add = (name: string, classes: number, layout: Partial<CellBoxes>, overlap = 0.7) => {
    if (classes < 1 || (labels !== null && labels !== classes)) return;
    guesses.push({ name, head: cellHead([result], classes, layout, overlap) });
  };
  for (const strides of [THREE_MAPS, FOUR_MAPS]) {
    const cells = cellsOf(sides, strides);
    if (third === cells && second >= 5) {
      const layout = { strides, planar: [true], columns: column(4, 0, null) };
      add('YOLOv8 or YOLO11', second - 4, { ...layout, boxes: 'middle' });
    }
    if (second !== cells && second !== 3 * cells) continue;
    const yolo = { strides, planar: [false], columns: column(5, 0, 4) } as const;
    add(second === cells ? 'YOLOX or YOLOv6' : 'YOLOv5 or YOLOv7', third - 5, {
      ...yolo,
      boxes: 'middle',
    });
    if (second !== cells) continue;
    add('YOLOX', third - 5, { ...yolo, boxes: 'offsets' });
    const plain = { strides, planar: [false], columns: column(4, 0, null) };
    add('YOLOv8 with rows and columns changed', third - 4, { ...plain, boxes: 'middle' });
    const classes = labels ?? third - 4 * USUAL_BINS;
    const bins = (third - classes) / 4;
    if (Number.isInteger(bins) && bins >= 4 && bins <= 64) {
      const columns = column(0, classes, null);
      const nano = { strides, planar: [false], columns, bins, point: 0 };
      add('NanoDet-Plus', classes, { ...nano, boxes: 'distances' }, 0.6);
    }
  }
  return guesses;
}

/** One output that lists what was found: the ends of YOLO and PaddleDetection with suppression inside. */
function rows(result: OnnxResult, labels: number | null): DetectorGuess[] {
  const dims =
    result.dims.length === 3 && result.dims[0] === 1 ? result.dims.slice(1) : result.dims;
  const [count = 0, columns = 0] = dims;
  if (dims.length !== 2 || count > 1000 || (columns !== 6 && columns !== 7)) return [];
  const list = (name: string, box: number, score: number, label: number): DetectorGuess => ({
    name,
    head: {
      kind: 'boxes',
      // Nothing but the labels says how many classes there are.
      classes: labels ?? 0,
      background: false,
      layout: {
        kind: 'list',
        outputs: [output(result)],
        columns: { box, score, label },
        rowsFirst: false,
        unit: 'pixels',
      },
      suppression: suppression(1),
    },
  });
  if (columns === 7) return [list('YOLOv7 with suppression inside', 1, 6, 5)];
  return [
    list('YOLO with suppression inside', 0, 4, 5),
    list('PaddleDetection with suppression inside', 2, 1, 0),
  ];
}

/** Boxes and scores of all cells in two outputs: an SSD that decodes its boxes, or PaddleDetection's. */
function apart(results: readonly OnnxResult[], labels: number | null): DetectorGuess[] {
  const boxes = results.find(({ dims }) => dims.length === 3 && dims[2] === 4);
  const scores = results.find((result) => result !== boxes);
  if (boxes === undefined || scores === undefined || scores.dims.length !== 3) return [];
  const [, cells = 0] = boxes.dims;
  const [, second = 0, third = 0] = scores.dims;
  const guesses: DetectorGuess[] = [];
  const add = (name: string, classes: number, planar: boolean, ssd: boolean) => {
    const named = ssd ? [classes, classes - 1] : [classes];
    if (classes < 1 || (labels !== null && !named.includes(labels))) return;
    const layout: Partial<CellBoxes> = {
      planar: [planar, false],
      columns: column(0, 0, null),
      boxes: ssd ? 'shares' : 'corners',
    };
    const head = cellHead([scores, boxes], classes, layout, ssd ? 0.45 : 0.6);
    guesses.push({ name, head: { ...head, background: ssd } });
  };
  if (second === cells) {
    add('SSD with decoded boxes', third, false, true);
    add('a detector with decoded boxes', third, false, false);
  }
  if (third === cells && second !== cells) add('PicoDet or PP-YOLOE', second, true, false);
  return guesses;
}

/** Boxes, scores and classes in three outputs, as TensorFlow and torchvision list them. */
function listed(results: readonly OnnxResult[], labels: number | null): DetectorGuess[] {
  const named = (pattern: RegExp) => results.find(({ name }) => pattern.test(name));
  const boxes = results.find(({ dims }) => dims.at(-1) === 4 && dims.length >= 2);
  const classes = named(/label|class/i);
  const scores = named(/score/i);
  if (boxes === undefined || classes === undefined || scores === undefined) return [];
  const tensorflow = /detection_/.test(boxes.name);
  const list = (unit: 'pixels' | 'shares', rowsFirst: boolean): DetectorGuess => ({
    name: tensorflow ? "TensorFlow's SSD with suppression inside" : 'SSD with suppression inside',
    head: {
      kind: 'boxes',
      classes: labels ?? 0,
      background: true,
      layout: {
        kind: 'list',
        outputs: [boxes, scores, classes].map(output),
        columns: null,
        rowsFirst,
        unit,
      },
      suppression: suppression(1),
    },
  });
  return tensorflow ? [list('shares', true)] : [list('pixels', false), list('shares', false)];
}

/** Scores and distances of each map in outputs of their own: PicoDet. */
function maps(results: readonly OnnxResult[], sides: Sides): DetectorGuess[] {
  const count = results.length / 2;
  const strides = [THREE_MAPS, FOUR_MAPS].find(({ length }) => length === count);
  if (strides === undefined || results.some(({ dims }) => dims.length !== 3)) return [];
  const cells = cellsOfMaps(sides, strides);
  const guesses: DetectorGuess[] = [];
  const fits = (list: readonly OnnxResult[]) =>
    list.length === count &&
    list.every(({ dims }, at) => dims[1] === cells[at] && dims[2] === list[0]?.dims[2]);
  for (const isBox of separations(results)) {
    const boxes = results.filter(isBox);
    const scores = results.filter((result, at) => !isBox(result, at));
    const wide = boxes[0]?.dims[2] ?? 0;
    if (wide % 4 !== 0 || wide < 16 || !fits(scores) || !fits(boxes)) continue;
    const layout: Partial<CellBoxes> = {
      strides,
      planar: results.map(() => false),
      columns: column(0, 0, null),
      boxes: 'distances',
      bins: wide / 4,
      point: 0.5,
    };
    const classes = scores[0]?.dims[2] ?? 0;
    guesses.push({ name: 'PicoDet', head: cellHead([...scores, ...boxes], classes, layout, 0.6) });
  }
  return guesses;
}

/** Ways to tell boxes from scores: by their widths; where these are alike, by their order. */
function separations(
  results: readonly OnnxResult[],
): readonly ((result: OnnxResult, at: number) => boolean)[] {
  const widths = [...new Set(results.map(({ dims }) => dims[2] ?? 0))];
  if (widths.length > 1)
    return widths.map(
      (wide) =>
        ({ dims }) =>
          dims[2] === wide,
    );
  const half = results.length / 2;
  return [
    (_, at) => at >= half,
    (_, at) => at < half,
    (_, at) => at % 2 === 1,
    (_, at) => at % 2 === 0,
  ];
}

function column(scores: number, boxes: number, objectness: number | null) {
  return { scores, boxes, objectness };
}

function cellHead(
  results: readonly OnnxResult[],
  classes: number,
  layout: Partial<CellBoxes>,
  overlap: number,
): BoxesHead & { readonly layout: CellBoxes } {
  return {
    kind: 'boxes',
    classes,
    background: false,
    layout: {
      kind: 'cells',
      strides: [],
      outputs: results.map(output),
      planar: results.map(() => false),
      columns: column(0, 0, null),
      boxes: 'middle',
      bins: 1,
      point: 0,
      ...layout,
    },
    suppression: suppression(overlap),
  };
}
