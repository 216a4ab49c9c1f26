import type {
  Activation,
  AddOperator,
  ConvOperator,
  Graph,
  MulOperator,
  Operator,
  Tensor,
} from '../graph.js';
import { constantOf, quantizationOf, scalarQuantization, tensorOf } from '../tensors.js';

function floatConstant(tensor: Tensor, data: Float32Array): Tensor {
  return { ...tensor, type: 'float32', quantization: null, data };
}

function floatWeights(operator: ConvOperator, tensor: Tensor): Tensor {
  const { scale, zeroPoint } = quantizationOf(tensor);
  const source = constantOf(tensor);
  const outChannels = tensor.shape[operator.depthwise ? 2 : 0] ?? 1;
  const perChannel = source.length / outChannels;
  const data = new Float32Array(source.length);
  for (let index = 0; index < source.length; index += 1) {
    const channel = operator.depthwise ? index % outChannels : Math.floor(index / perChannel);
    const at = scale.length === 1 ? 0 : channel;
    data[index] = ((source[index] ?? 0) - (zeroPoint[at] ?? 0)) * (scale[at] ?? 1);
  }
  return floatConstant(tensor, data);
}

/** A bias is stored at the scale of the input times that of the weights. */
function floatBias(graph: Graph, operator: ConvOperator, tensor: Tensor): Tensor {
  const inputScale = scalarQuantization(tensorOf(graph, operator.input)).scale;
  const { scale } = quantizationOf(tensorOf(graph, operator.weights));
  const data = Float32Array.from(
    constantOf(tensor),
    (value, channel) => value * inputScale * (scale[scale.length === 1 ? 0 : channel] ?? 1),
  );
  return floatConstant(tensor, data);
}

/** A constant that an addition or multiplication reads. */
function floatOperand(tensor: Tensor): Tensor {
  const { scale, zeroPoint } = scalarQuantization(tensor);
  const data = Float32Array.from(constantOf(tensor), (value) => (value - zeroPoint) * scale);
  return { ...floatConstant(tensor, data), name: `${tensor.name}:float` };
}

/**
 * Networks that were trained with simulated quantization leave ReLU and ReLU6 to the range of the
 * result: what lies below its zero, or above its end, cannot be stored.
 */
function impliedActivation(
  graph: Graph,
  { activation, output }: ConvOperator | AddOperator | MulOperator,
): Activation {
  if (activation !== 'none' || graph.outputs.includes(output)) return activation;
  const { scale, zeroPoint } = scalarQuantization(tensorOf(graph, output));
  if (zeroPoint !== 0) return 'none';
  return Math.abs(255 * scale - 6) < 0.1 ? 'relu6' : 'relu';
}

/** The tensors that hold the picture as the network stores it: inputs, or what is made of their bytes. */
function storedPictures(graph: Graph): readonly string[] {
  return graph.inputs.map((name) => {
    const made = graph.operators.find(
      ({ kind, ...of }) => kind === 'picture' && 'input' in of && of.input === name,
    );
    return made?.output ?? name;
  });
}

/**
 * Turns a quantized graph into its float32 counterpart. Inputs stay uint8 pictures: a `normalize`
 * operator makes them real values; everything else is float32. A range that begins at zero is an
 * activation function even where none is written; other clamping by a quantized range (values outside
 * an output's range) is not imitated.
 */
export function dequantize(graph: Graph): Graph {
  const tensors = new Map<string, Tensor>();
  const operators: Operator[] = [];
  const stored = storedPictures(graph);
  const inputs = new Map(stored.map((name) => [name, `${name}:real`]));
  const real = (name: string) => inputs.get(name) ?? name;
  for (const tensor of graph.tensors.values()) {
    if (tensor.data === null) {
      const name = real(tensor.name);
      tensors.set(name, { ...tensor, name, type: 'float32', quantization: null });
    }
  }
  // What happens to the picture's bytes happens before they become real numbers.
  const pictures = graph.operators.filter((operator) => operator.kind === 'picture');
  for (const { input } of pictures) tensors.set(input, tensorOf(graph, input));
  operators.push(...pictures);
  for (const name of stored) {
    const tensor = tensorOf(graph, name);
    const { scale, zeroPoint } = scalarQuantization(tensor);
    tensors.set(name, { ...tensor, quantization: null });
    operators.push({
      kind: 'normalize',
      input: name,
      output: real(name),
      scale: [scale],
      offset: [-zeroPoint * scale],
    });
  }
  for (const operator of graph.operators) {
    if (operator.kind === 'picture') continue;
    if (operator.kind === 'conv') {
      const weights = floatWeights(operator, tensorOf(graph, operator.weights));
      const weightsName = `${operator.output}:float weights`;
      tensors.set(weightsName, { ...weights, name: weightsName });
      const activation = impliedActivation(graph, operator);
      const named = { ...operator, activation, input: real(operator.input), weights: weightsName };
      if (operator.bias === null) {
        operators.push(named);
        continue;
      }
      const bias = floatBias(graph, operator, tensorOf(graph, operator.bias));
      const biasName = `${operator.output}:float bias`;
      tensors.set(biasName, { ...bias, name: biasName });
      operators.push({ ...named, bias: biasName });
    } else if (operator.kind === 'add' || operator.kind === 'mul') {
      const [first, second] = operator.inputs.map((name) => {
        const tensor = tensorOf(graph, name);
        if (tensor.data === null) return real(name);
        const constant = floatOperand(tensor);
        tensors.set(constant.name, constant);
        return constant.name;
      });
      const activation = impliedActivation(graph, operator);
      operators.push({ ...operator, activation, inputs: [first ?? '', second ?? ''] });
    } else {
      // Real values do not change when they are quantized another way.
      const kind = operator.kind === 'requantize' ? 'reshape' : operator.kind;
      operators.push({ ...operator, kind, input: real(operator.input) } as Operator);
    }
  }
  return { tensors, operators, inputs: graph.inputs, outputs: graph.outputs };
}
