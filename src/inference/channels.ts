import type { LayerReport } from '../convert/layers.js';
import { decodeModel, encodeModel } from '../convert/onnx/definitions.js';
import { codedError, messageOf } from '../errors.js';
import type { NumericForm } from '../models/variant.js';
import { ort, sessionOptions } from './runtime.js';

/** What the channels of a quantized result did on some pictures. */
export interface ChannelUse {
  /** Name of the result. */
  readonly name: string;
  readonly channels: number;
  /**
   * Channels of which at least a hundredth of the values lies at an end of the range that no
   * activation function makes: what would lie beyond was cut off.
   */
  readonly clipped: number;
  /** Channels with the same value everywhere. */
  readonly constant: number;
}

export interface ChannelRequest {
  /** An ONNX file that this program wrote, and its layers. */
  readonly model: Uint8Array;
  readonly layers: readonly LayerReport[];
  readonly form: NumericForm;
  /** Side of the input, pixels. */
  readonly size: number;
  /** Network inputs, uint8 RGB [1, size, size, 3]. */
  readonly pictures: readonly Uint8Array[];
}

/** Share of a channel's values at an end of the range that counts as clipped. */
const CLIPPED_SHARE = 0.01;

const UINT8 = 2;

/**
 * Runs a quantized network with all results of its convolutions and additions laid open, and looks at
 * the values of each channel.
 *
 * @throws MND_MODEL_INVALID if the file does not load or run that way
 */
export async function measureChannels(request: ChannelRequest): Promise<ChannelUse[]> {
  const model = decodeModel(request.model);
  const values = new Set(model.graph.node.flatMap(({ output }) => output));
  const watched = request.layers.flatMap((layer) => {
    // The results that leave the network have another name before they become NHWC.
    const value = values.has(`${layer.name}:nchw`) ? `${layer.name}:nchw` : layer.name;
    const looked = layer.range !== null && layer.shape.length === 4 && LOOKED_AT.has(layer.kind);
    return looked && values.has(value) ? [{ layer, value, tally: createTally(layer) }] : [];
  });
  const opened = watched.map(({ value }) => {
    const dim = [0, 1, 2, 3].map((axis) => ({ dimParam: `${value}/${axis}` }));
    return { name: value, type: { tensorType: { elemType: UINT8, shape: { dim } } } };
  });
  const output = [...model.graph.output, ...opened];
  const file = encodeModel({ ...model, graph: { ...model.graph, output } });
  try {
    const session = await ort.InferenceSession.create(file, sessionOptions(1, request.form));
    const names = watched.map(({ value }) => value);
    for (const pixels of request.pictures) {
      const { size } = request;
      const picture = new ort.Tensor('uint8', pixels, [1, size, size, 3]);
      const results = await session.run({ [session.inputNames[0] ?? '']: picture }, names);
      for (const { value, tally } of watched) {
        const data = results[value]?.data;
        if (data instanceof Uint8Array) tally.add(data);
      }
    }
    await session.release();
  } catch (error) {
    throw codedError('MND_MODEL_INVALID', { found: messageOf(error), cause: error });
  }
  return watched.map(({ tally }) => tally.result());
}

/** Kinds of operators whose results have a range of their own. */
const LOOKED_AT = new Set(['conv', 'depthwise-conv', 'add', 'mul']);

/** Counts one layer's values, which come channel by channel (NCHW). */
function createTally(layer: LayerReport) {
  const channels = layer.shape[3] ?? 0;
  const least = new Uint8Array(channels).fill(255);
  const greatest = new Uint8Array(channels);
  const beyond = new Float64Array(channels);
  let perChannel = 0;
  const rectified = layer.activation !== 'none';
  const six = Math.round(6 / (layer.scale ?? 1)) + (layer.zeroPoint ?? 0);
  // Zero is where ReLU ends, six where ReLU6 does: nothing is lost there.
  const low = rectified ? -1 : 0;
  const high = layer.activation === 'relu6' && six <= 255 ? 256 : 255;
  return {
    add(data: Uint8Array): void {
      const count = data.length / channels;
      perChannel += count;
      for (let index = 0; index < data.length; index += 1) {
        const channel = Math.floor(index / count);
        const value = data[index] ?? 0;
        if (value < (least[channel] ?? 0)) least[channel] = value;
        if (value > (greatest[channel] ?? 0)) greatest[channel] = value;
        if (value === low || value === high) beyond[channel] = (beyond[channel] ?? 0) + 1;
      }
    },
    result(): ChannelUse {
      let clipped = 0;
      let constant = 0;
      for (let channel = 0; channel < channels; channel += 1) {
        const same = least[channel] === greatest[channel];
        if (same) constant += 1;
        else if ((beyond[channel] ?? 0) >= CLIPPED_SHARE * perChannel) clipped += 1;
      }
      return { name: layer.name, channels, clipped, constant };
    },
  };
}
