import { codedError } from '../../errors.js';
import { cellsOf, THREE_MAPS } from '../../vision/cells.js';
import type { TfliteModel } from './model-types.js';

/** A network that is whole, but neither a classifier nor a detector that is read. */
interface Stranger {
  readonly what: string;
  readonly next: string;
}

const EDGE_TPU: Stranger = {
  what: 'a model compiled for the Edge TPU (edgetpu-custom-op)',
  next: 'take the .tflite that it was compiled from: the one without _edgetpu in its name',
};

const POSE: Stranger = {
  what: 'a pose network (MoveNet), which finds joints',
  next: 'take a classifier or a detector; for people the shipped detector: mobilenetd models pull',
};

const FACES: Stranger = {
  what: "MediaPipe's face or hand detector (BlazeFace), whose anchors are its own",
  next: 'take an SSD of TensorFlow, or an ONNX detector of the YOLO class',
};

const yolo = (name: string): Stranger => ({
  what: `a ${name} detector in TensorFlow Lite`,
  next: 'give its ONNX export, which is read: yolo export format=onnx imgsz=320',
});

/**
 * Refuses networks that people have and that are none of this program's, by what they are.
 *
 * @throws MND_MODEL_FORMAT
 */
export function refuseStrangers(model: TfliteModel): void {
  const stranger = strangerIn(model);
  if (stranger === null) return;
  const { what, next } = stranger;
  throw codedError('MND_MODEL_FORMAT', { subject: 'TFLite file', found: what, next });
}

function strangerIn({ operators, tensors, inputs, outputs }: TfliteModel): Stranger | null {
  if (operators.some(({ name }) => name === 'edgetpu-custom-op')) return EDGE_TPU;
  const shapes = outputs.map((index) => tensors[index]?.shape ?? []);
  const [, height = 0, width = 0] = tensors[inputs[0] ?? -1]?.shape ?? [];
  const [first = []] = shapes;
  if (['1,1,17,3', '1,6,56'].includes(first.join())) return POSE;
  // Boxes with five points besides, or with seven of a hand; an SSD's own boxes are four numbers.
  const lasts = shapes.map((shape) => shape.at(-1) ?? 0);
  if (lasts.some((last) => [16, 18].includes(last)) && lasts.includes(1)) return FACES;
  const cells = cellsOf([height, width], THREE_MAPS);
  const [, second = 0, third = 0] = first;
  if (first.length !== 3 || cells === 0) return null;
  if (third === cells && second >= 5) return yolo('YOLOv8 or YOLO11');
  if (second === 3 * cells && third >= 6) return yolo('YOLOv5');
  if (second === cells && third >= 6) return yolo('YOLOX or YOLOv6');
  return null;
}
