import { outputSide } from './geometry.js';
import type { Graph, Tensor } from './graph.js';
import { tensorOf } from './tensors.js';

/**
 * The graph for one input size: heights and widths that are only known at run time (−1) are worked
 * out from the picture's, in pixels. Convolutions, additions and normalisation only; tensors behind
 * other operators keep their shapes.
 */
export function resolveShapes(graph: Graph, height: number, width: number): Graph {
  const tensors = new Map(graph.tensors);
  const resolve = (name: string, sides: readonly [number, number]) => {
    const tensor = tensorOf(graph, name);
    const [batch = 1, , , channels = 1] = tensor.shape;
    if (tensor.shape.length !== 4) return;
    const resolved: Tensor = { ...tensor, shape: [batch, ...sides, channels] };
    tensors.set(name, resolved);
  };
  const sidesOf = (name: string): readonly [number, number] => {
    const [, rows = -1, columns = -1] = tensorOf({ tensors }, name).shape;
    return [rows, columns];
  };
  for (const name of graph.inputs) resolve(name, [height, width]);
  for (const operator of graph.operators) {
    if (operator.kind === 'conv') {
      const [rows, columns] = sidesOf(operator.input);
      const { shape } = tensorOf(graph, operator.weights);
      const [kernelHeight = 1, kernelWidth = 1] = operator.depthwise ? shape : shape.slice(1);
      resolve(operator.output, [
        outputSide(operator, 'height', rows, kernelHeight),
        outputSide(operator, 'width', columns, kernelWidth),
      ]);
    } else if (operator.kind === 'add') {
      resolve(operator.output, sidesOf(operator.inputs[0]));
    } else if (operator.kind === 'normalize' || operator.kind === 'picture') {
      resolve(operator.output, sidesOf(operator.input));
    }
  }
  return { ...graph, tensors };
}
