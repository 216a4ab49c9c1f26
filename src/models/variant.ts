export type Task = 'classify' | 'detect';

/**
 * exact: the numbers of TensorFlow Lite; symmetric: weights with zero point 0; reduced: the same,
 * held so small that no sum of two products leaves 16 bits; float32: reference.
 */
export type NumericForm = 'exact' | 'symmetric' | 'reduced' | 'float32';

/** Every form, the one nearest to the published numbers first. */
export const NUMERIC_FORMS: readonly NumericForm[] = ['exact', 'symmetric', 'reduced', 'float32'];

/** The network's one picture input: uint8 RGB, [1, height, width, 3], 0 to 255. */
export interface ModelInput {
  readonly name: string;
  /** Side lengths in pixels this file runs at; the first is the native one. */
  readonly sizes: readonly number[];
  /** Of a picture that is no square; `sizes` then has its longer side alone. */
  readonly sides?: readonly [height: number, width: number];
}

/** Height and width of the picture that a network takes at one of its sizes. */
export function sidesOf({ sides }: ModelInput, size: number): readonly [number, number] {
  return sides ?? [size, size];
}

/** Name of the output that has the embedding, [1, values] of float32, where a session gives one. */
export const EMBEDDING_OUTPUT = 'mobilenetd:embedding';

/** An output tensor as onnxruntime returns it; real = scale · (stored − zeroPoint). */
export interface ModelOutput {
  readonly name: string;
  readonly type: 'uint8' | 'float32';
  /** 1 and 0 for float32. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * What makes scores of a classifier's outputs: softmax over all of them, a sigmoid of each by itself, or
 * nothing, for they are probabilities already.
 */
export type ScoreKind = 'softmax' | 'sigmoid' | 'probability';

/** Logits [1, classes]; scores are made of them outside the network. */
export interface ClassifierHead {
  readonly kind: 'classifier';
  readonly classes: number;
  /** Absent: softmax. */
  readonly scores?: ScoreKind;
  readonly logits: ModelOutput;
}

/** Rules that place SSD anchors; sizes are fractions of `referenceSize` pixels and stay in pixels. */
export interface AnchorRules {
  readonly referenceSize: number;
  readonly minScale: number;
  readonly maxScale: number;
  readonly aspectRatios: readonly number[];
  readonly reduceBoxesInLowestLayer: boolean;
  /** Side of an extra square anchor between two layers' scales (TensorFlow's interpolated scale). */
  readonly interpolatedScaleAspectRatio: number;
}

/** One feature map of an SSD head: NHWC tensors [1, rows, columns, anchors·4] and [… anchors·classes]. */
export interface SsdLayer {
  readonly boxes: ModelOutput;
  readonly scores: ModelOutput;
  readonly stride: number;
}

/** An SSD head as raw convolution outputs; vision/ decodes boxes and suppresses overlaps. */
export interface SsdHead {
  readonly kind: 'ssd';
  /** Score columns, the background (column 0) included where there is one. */
  readonly classes: number;
  /** False where column 0 is a class as any other; absent: true. */
  readonly background?: boolean;
  readonly layers: readonly SsdLayer[];
  readonly anchors: AnchorRules;
  /** Divisors of the encoded y, x, height, width. */
  readonly boxScales: readonly [number, number, number, number];
  /** As the file says it; absent: overlaps within each class, by the program's own rules. */
  readonly suppression?: Suppression;
}

/** How a detector's boxes become objects (TFLite_Detection_PostProcess). */
export interface Suppression {
  readonly maxDetections: number;
  /**
   * Classes that one box may be, where boxes of all classes suppress each other; null where each class
   * is looked at by itself.
   */
  readonly maxClassesPerBox: number | null;
  /** Boxes that each class keeps, where each is looked at by itself; absent: as many as there are. */
  readonly maxPerClass?: number;
  /** Overlap above which the weaker box goes. */
  readonly overlap: number;
  /** Scores below it are not looked at. */
  readonly leastScore: number;
}

/**
 * A grid of class scores, as Edge Impulse's FOMO has it: each cell of the picture says what lies in it.
 * Neighbouring cells of one class are one object, of which only the middle is known.
 */
export interface GridHead {
  readonly kind: 'grid';
  /** Scores of a cell, the background (the first) included. */
  readonly classes: number;
  readonly rows: number;
  readonly columns: number;
  readonly scores: ScoreKind;
  /** rows · columns · classes values, row by row. */
  readonly cells: ModelOutput;
}

/**
 * Every cell of a few maps has a box and a score for each class: YOLO, NanoDet, PicoDet, an SSD that was
 * decoded inside. The maps' cells follow each other, each map row by row.
 */
export interface CellBoxes {
  readonly kind: 'cells';
  /** Pixels between the cells of each map. */
  readonly strides: readonly number[];
  /** One of all maps and columns; or scores, then boxes; or scores of each map, then boxes of each. */
  readonly outputs: readonly ModelOutput[];
  /** Whether an output is [1, columns, cells] rather than [1, cells, columns]. */
  readonly planar: readonly boolean[];
  /** Columns of a cell, in one output: of the first class, of the box, of the objectness. */
  readonly columns: {
    readonly scores: number;
    readonly boxes: number;
    /** A factor of every score; null for none. */
    readonly objectness: number | null;
  };
  /**
   * Of a box: its middle and sides in pixels; corners in pixels or in shares of the picture; an offset from
   * the cell and logarithms of the sides, in cells; or distances of its four edges from the cell, each as
   * the weights of `bins` whole cells.
   */
  readonly boxes: 'middle' | 'corners' | 'shares' | 'offsets' | 'distances';
  readonly bins: number;
  /** Place of a cell's own point within it: 0 or 0.5. */
  readonly point: number;
}

/** The network lists what it found, overlaps removed: corners of boxes, scores and class numbers. */
export interface ListedBoxes {
  readonly kind: 'list';
  /** One of rows, or boxes, scores and classes. */
  readonly outputs: readonly ModelOutput[];
  /** Columns in a row; null for three outputs. */
  readonly columns: { readonly box: number; readonly score: number; readonly label: number } | null;
  /** Whether y comes before x. */
  readonly rowsFirst: boolean;
  readonly unit: 'pixels' | 'shares';
}

/** A detector that is no SSD of TensorFlow's. */
export interface BoxesHead {
  readonly kind: 'boxes';
  /** Classes, the background (number 0) included if there is one. */
  readonly classes: number;
  readonly background: boolean;
  readonly layout: CellBoxes | ListedBoxes;
  readonly suppression: Suppression;
}

export type ModelHead = ClassifierHead | SsdHead | GridHead | BoxesHead;

/** The tensors that a head reads. */
export function outputsOf(head: ModelHead): readonly ModelOutput[] {
  switch (head.kind) {
    case 'classifier':
      return [head.logits];
    case 'ssd':
      return head.layers.flatMap(({ boxes, scores }) => [boxes, scores]);
    case 'grid':
      return [head.cells];
    case 'boxes':
      return head.layout.outputs;
  }
}

/** What a network with such a head can do. */
export function taskOf({ kind }: ModelHead): Task {
  return kind === 'classifier' ? 'classify' : 'detect';
}

/** How a picture becomes the network's input. */
export interface Preprocessing {
  /** Central part that is kept of each side, e.g. 0.875; 1 keeps everything. */
  readonly centralCrop: number;
}

/** Published accuracy on the public validation set, percent; null where none was published. */
export interface Accuracy {
  readonly top1: number | null;
  readonly top5: number | null;
  /** COCO mean average precision, percent. */
  readonly map: number | null;
}

/**
 * What one input size of a detector was measured to be worth (scripts/evaluate-detector.mjs), as
 * shares: its detections against those of the float network at the native size, and the pictures of a
 * known object in which it is found.
 */
export interface SizeQuality {
  readonly size: number;
  /** Of the float detections, those that have a counterpart. */
  readonly matched: number;
  /** Detections without a counterpart, as a share of the float ones. */
  readonly extra: number;
  /** Mean change of a matched detection's score. */
  readonly scoreChange: number;
  readonly hits: number;
}

/** One installed network at one input size: a rung the daemon can run. */
export interface Variant {
  /** Name of the rung: the model's own for a classifier, `<model>_<size>` for a detector of several sizes. */
  readonly name: string;
  /** Name of the installed model it belongs to. */
  readonly model: string;
  /** Name of the ladder that the model is a rung of; absent for one that stands alone. */
  readonly ladder?: string;
  readonly family: string;
  readonly task: Task;
  /** Width multiplier; null for a network without one. */
  readonly alpha: number | null;
  readonly size: number;
  readonly form: NumericForm;
  /** Absolute path of the ONNX file, and its sha256 (hexadecimal). */
  readonly file: string;
  readonly sha256: string;
  readonly input: ModelInput;
  readonly head: ModelHead;
  readonly preprocessing: Preprocessing;
  /**
   * Names by class index. A classifier has as many as classes. A detector's have `classes` entries
   * as well (index 0 is the background); unused indices are empty strings.
   */
  readonly labels: readonly string[];
  readonly accuracy: Accuracy;
  /** Absent where nothing was measured. */
  readonly quality?: SizeQuality;
  /** Multiply-adds of one inference, millions; null if unknown. */
  readonly multAdds: number | null;
  /** Threads of one inference, by what this board measured; absent: the engine's. */
  readonly threads?: number;
  /**
   * What logits are divided by, so that scores are on the scale of the ladder's largest variant; by what
   * this board measured. Absent: 1, the network's own scores.
   */
  readonly temperature?: number;
  /** Whether its session also gives embeddings, where a run asks for one. Absent: it does not. */
  readonly embedding?: boolean;
  /**
   * Of an SSD detector: numbers of the classes whose scores are computed, in their order; the others cannot
   * be found. Labels and class numbers stay those of all. Absent: every class.
   */
  readonly keptClasses?: readonly number[];
}

/** The labels of classes that are things: some networks count the background as their first class. */
export function withoutBackground(labels: readonly string[]): readonly string[] {
  return /^(?:background)?$/i.test(labels[0] ?? '') ? labels.slice(1) : labels;
}
