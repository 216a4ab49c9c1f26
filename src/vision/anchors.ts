import type { SsdHead } from '../models/variant.js';

/** The anchors of one head at one input size. */
export interface Anchors {
  /** Centre y, centre x, height, width of each anchor, as fractions of the input. */
  readonly boxes: Float32Array;
  readonly layers: readonly AnchorLayer[];
}

export interface AnchorLayer {
  /** Index of the layer's first anchor. */
  readonly first: number;
  readonly rows: number;
  readonly columns: number;
  readonly anchorsPerCell: number;
}

interface Shape {
  readonly scale: number;
  readonly aspectRatio: number;
}

/**
 * Places the anchors of an SSD head on an input of the given size in pixels, ordered by layer, row,
 * column and anchor, as TensorFlow's multiple_grid_anchor_generator does (Liu et al. 2016, §2.2):
 * scales evenly spaced over the layers, centres at (i + ½) / rows. A layer has
 * ceil(side / stride) rows. Anchors keep their size in pixels: at another input size than
 * `referenceSize` the network sees objects of the same pixel size, not of the same fraction.
 */
export function createAnchors(head: SsdHead, inputHeight: number, inputWidth: number): Anchors {
  const layers: AnchorLayer[] = [];
  const shapes = head.layers.map((_, index) => layerShapes(head, index));
  let total = 0;
  head.layers.forEach(({ stride }, index) => {
    const rows = Math.ceil(inputHeight / stride);
    const columns = Math.ceil(inputWidth / stride);
    const anchorsPerCell = shapes[index]?.length ?? 0;
    layers.push({ first: total, rows, columns, anchorsPerCell });
    total += rows * columns * anchorsPerCell;
  });
  const boxes = new Float32Array(total * 4);
  const { referenceSize } = head.anchors;
  let at = 0;
  layers.forEach(({ rows, columns }, index) => {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (const { scale, aspectRatio } of shapes[index] ?? []) {
          const root = Math.sqrt(aspectRatio);
          boxes[at++] = (row + 0.5) / rows;
          boxes[at++] = (column + 0.5) / columns;
          boxes[at++] = (scale / root) * (referenceSize / inputHeight);
          boxes[at++] = scale * root * (referenceSize / inputWidth);
        }
      }
    }
  });
  return { boxes, layers };
}

/** Number of anchors in each cell of a layer. */
export function anchorsPerCell(head: SsdHead, layer: number): number {
  return layerShapes(head, layer).length;
}

function layerShapes(head: SsdHead, layer: number): readonly Shape[] {
  const { aspectRatios, reduceBoxesInLowestLayer, interpolatedScaleAspectRatio } = head.anchors;
  const scale = scaleOf(head, layer);
  if (layer === 0 && reduceBoxesInLowestLayer) {
    return [
      { scale: 0.1, aspectRatio: 1 },
      { scale, aspectRatio: 2 },
      { scale, aspectRatio: 0.5 },
    ];
  }
  const shapes = aspectRatios.map((aspectRatio) => ({ scale, aspectRatio }));
  if (interpolatedScaleAspectRatio > 0) {
    const between = Math.sqrt(scale * scaleOf(head, layer + 1));
    shapes.push({ scale: between, aspectRatio: interpolatedScaleAspectRatio });
  }
  return shapes;
}

/** Evenly spaced from minScale to maxScale; 1 behind the last layer. */
function scaleOf(head: SsdHead, layer: number): number {
  const { minScale, maxScale } = head.anchors;
  const last = head.layers.length - 1;
  if (layer > last) return 1;
  return last === 0 ? minScale : minScale + ((maxScale - minScale) * layer) / last;
}
