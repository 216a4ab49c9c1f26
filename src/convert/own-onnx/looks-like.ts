import type { OnnxFile } from './parse.js';

/**
 * What kind of network a file that is no classifier looks like, by its outputs; null for none that is
 * known. For the error's text only: none of these is run.
 */
export function looksLike({ outputs, metadata }: OnnxFile): string | null {
  const shapes = outputs.map(({ shape }) => shape ?? []);
  const task = metadata.get('task');
  const [first = []] = shapes;
  const [, second = 0, third = 0] = first;
  if (shapes.some(({ length }) => length === 4) && shapes.some(({ length }) => length === 3)) {
    return 'a YOLO segmentation network';
  }
  if (task !== undefined && task !== 'classify') return `an Ultralytics YOLO network (${task})`;
  if (shapes.length === 1 && first.length === 3) {
    if (second === 56 && third > 1000) return 'a YOLOv8 pose network';
    if (second === 5 && third > 1000) return 'a YOLOv8 face or one-class network';
    if (third >= 6 && third < 200 && second > 1000) return 'a YOLOv5, YOLOv7 or YOLOX detector';
    if (second >= 5 && second < 200 && third > 1000) return 'a YOLOv8 or YOLO11 detector';
    if (third === 6) return 'a detector with suppression inside';
  }
  if (shapes.length >= 3 && shapes.every(({ length }) => length === 3)) {
    return 'a NanoDet or PicoDet detector';
  }
  if (shapes.length >= 2 && shapes.some((shape) => shape.at(-1) === 4)) return 'an SSD detector';
  if (shapes.length === 1 && first.length === 4) return 'a segmentation or heat map network';
  return null;
}
