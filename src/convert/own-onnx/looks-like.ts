import type { OnnxFile } from './parse.js';

/**
 * What kind of network a file that is no classifier looks like, by its outputs; null for none that is
 * known.
 */
export function looksLike({ outputs, metadata }: OnnxFile): string | null {
  const shapes = outputs.map(({ shape }) => shape ?? []);
  const task = metadata.get('task');
  const [first = []] = shapes;
  const [, second = 0, third = 0] = first;
  if (shapes.some(({ length }) => length === 4) && shapes.some(({ length }) => length === 3)) {
    return 'a YOLOv8 segmentation network';
  }
  if (task !== undefined && task !== 'classify' && task !== 'detect') {
    return `an Ultralytics YOLO network (${task})`;
  }
  if (shapes.length === 1 && first.length === 3) {
    if (second === 56 && third > 1000) return 'a YOLOv8 pose network';
    if (second === 300 && third > 6) return 'an RT-DETR detector';
    if (third >= 6 && third < 200 && second > 1000) return 'a YOLOv5, YOLOv7 or YOLOX detector';
    if (second >= 5 && second < 200 && third > 1000) return 'a YOLOv8 or YOLO11 detector';
    if (third === 6) return 'a detector with suppression inside';
  }
  if (outputs.some(({ name }) => /^pred_(logits|boxes)$/.test(name))) return 'a DETR detector';
  if (shapes.length >= 3 && shapes.every(({ length }) => length === 5)) {
    return 'a YOLOv5 detector without its last layer (export it with its Detect layer)';
  }
  if (shapes.length >= 3 && shapes.every(({ length }) => length === 4)) {
    return 'a detector whose feature maps come out one by one (a raw YOLO, RetinaNet or FCOS)';
  }
  if (shapes.length >= 3 && shapes.every(({ length }) => length === 3)) {
    return 'a NanoDet or PicoDet detector';
  }
  if (shapes.length >= 2 && shapes.some((shape) => shape.at(-1) === 4)) return 'an SSD detector';
  if (shapes.length === 1 && first.length === 4) return 'a segmentation or heat map network';
  return null;
}

/** Words of {@link looksLike} for networks that are read, as far as their shapes tell. */
const READ = /^(a YOLOv5, YOLOv7|a YOLOv8 or|a detector with suppression|a NanoDet|an SSD)/;

/**
 * Whether a file is to be read as a detector: its outputs are several, or rows of boxes. A network that only
 * looks like some other kind is left to the classifier's reader, which says so.
 */
export function isDetector(file: OnnxFile): boolean {
  const [first, ...others] = file.outputs;
  const shape = first?.shape ?? null;
  if (shape === null && others.length === 0) return false;
  const sides = (shape ?? []).slice((shape?.[0] ?? 0) === -1 ? 1 : 0);
  const isRow = others.length === 0 && sides.filter((side) => side !== 1).length <= 1;
  // A list of any length has the shape of a classifier for several pictures.
  if (isRow) return file.nodes.some(({ opType }) => opType === 'NonMaxSuppression');
  const kind = looksLike(file);
  if (kind !== null) return READ.test(kind);
  const ranks = file.outputs.map((output) => output.shape?.length ?? 0);
  return ranks.every((rank) => rank <= 3);
}

/** What pictures are for networks of a kind, for the question about them; null where that differs. */
export function usualScaling(file: OnnxFile): string | null {
  switch (looksLike(file)) {
    case 'a YOLOv8 or YOLO11 detector':
      return 'this looks like YOLOv8 or YOLO11, whose pictures are in [0, 1]';
    case 'a YOLOv5, YOLOv7 or YOLOX detector':
      return 'this looks like a YOLO: YOLOv5 to YOLOv7 take [0, 1]; YOLOX [0, 255] and --channels bgr; NanoDet-Plus --mean 123.675,116.28,103.53 --scale 0.01712,0.01751,0.01743 --channels bgr';
    case 'a NanoDet or PicoDet detector':
      return 'this looks like PicoDet, which takes what PyTorch does';
    case 'an SSD detector':
      return "this looks like an SSD: those of pytorch-ssd take --mean 127 --scale 0.0078125, TensorFlow's [−1, 1]";
    default:
      return null;
  }
}
