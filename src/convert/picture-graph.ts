import { type Folded, REAL_PICTURE } from './float-network/fold.js';
import type { Graph, Operator, Tensor } from './graph.js';
import { INPUT_NAME, LOGITS_NAME } from './names.js';
import { type ChannelScaling, perChannel } from './scaling.js';

/** Luma of red, green and blue (ITU-R BT.601). */
const LUMA = Float32Array.of(0.299, 0.587, 0.114);

/** The graph from a uint8 RGB picture to one row of logits. */
export function pictureGraph(
  folded: Folded,
  output: string,
  { mean, scale }: ChannelScaling,
  reversed: boolean,
): Graph {
  const tensors = new Map<string, Tensor>(folded.tensors);
  const operators: Operator[] = [];
  const [height, width, channels] = folded.picture;
  const grey = channels === 1;
  const put = (name: string, type: 'uint8' | 'float32', shape: readonly number[]) => {
    tensors.set(name, { name, type, shape, quantization: null, data: null });
    return name;
  };
  const rgb = [1, height, width, 3];
  let picture = put(INPUT_NAME, 'uint8', rgb);
  if (reversed && !grey) {
    const stored = put(`${INPUT_NAME}:stored`, 'uint8', rgb);
    operators.push({ kind: 'picture', input: picture, output: stored, reversed, table: null });
    picture = stored;
  }
  const numbers = Array.from(
    { length: Math.max(mean.length, scale.length) },
    (_, channel) => channel,
  );
  operators.push({
    kind: 'normalize',
    input: picture,
    output: grey ? put(`${INPUT_NAME}:colours`, 'float32', rgb) : REAL_PICTURE,
    scale: numbers.map((channel) => perChannel(scale, channel)),
    offset: numbers.map((channel) => -perChannel(mean, channel) * perChannel(scale, channel)),
  });
  if (grey) {
    const weights = `${INPUT_NAME}:luma`;
    const shape = [1, 1, 1, 3];
    tensors.set(weights, { name: weights, type: 'float32', shape, quantization: null, data: LUMA });
    operators.push({
      kind: 'conv',
      input: `${INPUT_NAME}:colours`,
      weights,
      bias: null,
      output: REAL_PICTURE,
      depthwise: false,
      stride: [1, 1],
      dilation: [1, 1],
      padding: 'valid',
      activation: 'none',
    });
  }
  const { tensor, shape } = folded.value(output);
  put(LOGITS_NAME, 'float32', [1, shape[2]]);
  operators.push(...folded.operators, { kind: 'reshape', input: tensor, output: LOGITS_NAME });
  return { tensors, operators, inputs: [INPUT_NAME], outputs: [LOGITS_NAME] };
}
