import { codedError } from '../../errors.js';
import type { ClassifierHead, NumericForm } from '../../models/variant.js';
import { type ConvertedModel, UNCHANGED } from '../converted-model.js';
import type { Graph } from '../graph.js';
import type { PictureOptions } from '../scaling.js';
import { checkGraph } from './check.js';
import { findEnd, type NetworkEnd } from './end.js';
import { floatGraph } from './float-graph.js';
import { isDetector, usualScaling } from './looks-like.js';
import { LABELS_KEY, type OnnxFile, type OnnxNode, parseOnnx } from './parse.js';
import { findPicture, fixedInputs, type OnnxPicture } from './picture.js';
import { wrapDetector, wrapNetwork } from './wrap.js';

/** A classifier that was made to fit, and what its outputs can be measured by. */
export interface OwnOnnxModel extends ConvertedModel {
  readonly head: ClassifierHead;
  readonly end: NetworkEnd;
  /** The same with the file's own output besides, under this name; null where that is what is read. */
  readonly trial: { readonly onnx: Uint8Array; readonly original: string } | null;
  /** The same with the file's own output read as it is. @throws MND_MODEL_SHAPE */
  readonly asItIs: () => OwnOnnxModel;
  /** What it computes, for quantizing. @throws MND_MODEL_OPERATOR, MND_MODEL_SHAPE, MND_MODEL_INVALID */
  readonly floatGraph: () => Graph;
}

/** A detector that was made to fit, whose outputs only a run can tell apart. */
export interface OwnOnnxDetector extends Omit<ConvertedModel, 'head'> {
  /** New names of the outputs, in the order of the file, and those of the file. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Names of the classes that the file brings; null for none. */
  readonly labels: readonly string[] | null;
}

export type OwnOnnx =
  | { readonly kind: 'classifier'; readonly model: OwnOnnxModel }
  | { readonly kind: 'detector'; readonly model: OwnOnnxDetector };

/** Below 7 ONNX broadcast by attributes; above this onnxruntime 1.30 knows nothing. */
const OPSETS = [7, 25] as const;

/**
 * Makes an ONNX network fit the daemon: in front of its input goes what turns a uint8 RGB picture
 * [1, height, width, 3] into the network's own numbers. A classifier's final softmax or sigmoid is left out,
 * so that the output is logits; a detector's outputs all come out as real numbers. The network itself is
 * passed on byte by byte. The form is `exact` for a network of quantized operators, `float32` for any other.
 *
 * @throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE,
 *   MND_MODEL_TOO_LARGE; MND_MODEL_QUESTION if the picture's scaling is not known; MND_USAGE
 */
export function readOwnOnnx(bytes: Uint8Array, options: PictureOptions): OwnOnnx {
  const file = parseChecked(bytes);
  if (!isDetector(file)) return { kind: 'classifier', model: classifierOf(file, options) };
  checkGraph(file, 'detector');
  const picture = findPicture(file, options, usualScaling(file));
  const input = uniqueName(file, 'picture');
  const outputs = new Map(
    file.outputs.map(({ name }, at) => [name, `${uniqueName(file, 'detector')}:${at}`] as const),
  );
  const fixed = fixedInputs(file, picture.sides);
  const model: OwnOnnxDetector = {
    onnx: wrapDetector(file, picture, input, outputs, fixed),
    ...describe(file, picture, input),
    outputs: new Map([...outputs].map(([name, output]) => [output, name])),
    labels: labelsIn(file.metadata.get(LABELS_KEY)),
  };
  return { kind: 'detector', model };
}

/** The same of a classifier. @throws MND_MODEL_SHAPE for any other network, called by its name */
export function convertOwnOnnx(bytes: Uint8Array, options: PictureOptions): OwnOnnxModel {
  return classifierOf(parseChecked(bytes), options);
}

function parseChecked(bytes: Uint8Array): OnnxFile {
  const file = parseOnnx(bytes);
  const [least, most] = OPSETS;
  if (file.opset >= least && file.opset <= most) return file;
  throw codedError('MND_MODEL_OPERATOR', {
    subject: 'ONNX file',
    expected: `operator set ${least} to ${most}`,
    found: `${file.opset}`,
    next: 'export it with operator set 17, or convert it: onnx.version_converter',
  });
}

function classifierOf(file: OnnxFile, options: PictureOptions, asItIs = false): OwnOnnxModel {
  checkGraph(file);
  const picture = findPicture(file, options);
  const end = findEnd(file, asItIs);
  const { classes, scores, original } = end;
  const input = uniqueName(file, 'picture');
  const output = uniqueName(file, 'logits');
  const head: ClassifierHead = {
    kind: 'classifier',
    classes,
    scores,
    logits: { name: output, type: 'float32', scale: 1, zeroPoint: 0 },
  };
  const ends = { input, end, output };
  const beside = original === null ? null : { name: original.name, output: `${output}:original` };
  return {
    onnx: wrapNetwork(file, picture, ends),
    ...describe(file, picture, input),
    head,
    end,
    trial:
      beside === null
        ? null
        : { onnx: wrapNetwork(file, picture, { ...ends, beside }), original: beside.output },
    asItIs: () => classifierOf(file, options, true),
    floatGraph: () => floatGraph(file, picture, end.name),
  };
}

function describe(file: OnnxFile, { sides }: OnnxPicture, name: string) {
  const form: NumericForm = file.nodes.some(isQuantized) ? 'exact' : 'float32';
  const operators: Record<string, number> = {};
  for (const { opType } of file.nodes) operators[opType] = (operators[opType] ?? 0) + 1;
  const [height, width] = sides;
  const input = { name, sizes: [Math.max(height, width)], ...(height !== width && { sides }) };
  const { parameters } = file;
  return {
    form,
    input,
    report: { operators, parameters, multAdds: null, ...UNCHANGED, layers: [] },
  };
}

/** Python's way to write the names by number: {0: 'person', 1: "someone's dog"}. */
function labelsIn(text: string | undefined): readonly string[] | null {
  const labels: string[] = [];
  for (const [, number, single, double] of (text ?? '').matchAll(
    /(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g,
  )) {
    if (Number(number) !== labels.length) return null;
    labels.push((single ?? double ?? '').replace(/\\(.)/g, '$1'));
  }
  return labels.length === 0 ? null : labels;
}

function isQuantized({ opType }: OnnxNode): boolean {
  return /^QLinear|QuantizeLinear$|^QGemm$|Integer$/.test(opType);
}

/** A name that no value has, nor has with a colon and something behind it. */
function uniqueName({ inputs, nodes, constants }: OnnxFile, wanted: string): string {
  const taken = new Set<string>();
  const take = (name: string) => taken.add(name.split(':')[0] ?? name);
  for (const name of constants.keys()) take(name);
  for (const { name } of inputs) take(name);
  for (const { outputs } of nodes) for (const output of outputs) take(output);
  let name = wanted;
  for (let count = 1; taken.has(name); count += 1) name = `${wanted}_${count}`;
  return name;
}
