import { type QuantizedChannel, quantizeChannel } from '../quantize-weights.js';
import type { WeightSpan } from '../round-weights.js';
import type { IntegerConvolution } from './plan.js';
import type { ChannelRanges, StoredScale } from './stored-scales.js';

/** A convolution's constants as QLinearConv takes them: weights in the order of the file, zero points 0. */
export interface IntegerWeights {
  readonly stored: Int8Array;
  readonly scales: Float32Array;
  readonly bias: Int32Array;
  readonly raisedChannels: number;
  /** As a share of the convolution's largest weight. */
  readonly largestError: number;
}

/**
 * Rounds the weights of a convolution, each output channel by its own scale.
 *
 * @param mean of what it reads, one a channel
 */
export function integerWeights(
  { weights, bias, groups }: IntegerConvolution,
  input: StoredScale,
  { mean }: ChannelRanges,
  output: StoredScale,
  reduced: boolean,
): IntegerWeights {
  const [channels = 0, perGroup = 0, rows = 1, columns = 1] = weights.dims;
  const area = rows * columns;
  const depthwise = groups > 1 && perGroup === 1;
  const span: WeightSpan = !reduced || depthwise ? 'full' : area === 1 ? 'pairs' : 'any';
  const count = perGroup * area;
  const rounded: QuantizedChannel[] = [];
  let peak = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    const first = Math.floor((channel * groups) / channels) * perGroup;
    const read = (at: number) => first + Math.floor(at / area);
    const divisor = output.divisors[channel] ?? 1;
    const own = Float64Array.from({ length: count }, (_, at) => {
      const weight = weights.values[channel * count + at] ?? 0;
      return (weight * (input.divisors[read(at)] ?? 1)) / divisor;
    });
    for (const weight of own) peak = Math.max(peak, Math.abs(weight));
    rounded.push(
      quantizeChannel({
        weights: own,
        bias: (bias?.[channel] ?? 0) / divisor,
        inputScale: input.scale,
        span,
        depthwise,
        meanOf: (at) => (mean[read(at)] ?? 0) / (input.divisors[read(at)] ?? 1),
      }),
    );
  }
  const stored = new Int8Array(channels * count);
  for (const [channel, own] of rounded.entries()) stored.set(own.stored, channel * count);
  const largest = rounded.reduce((most, own) => Math.max(most, own.largestError), 0);
  return {
    stored,
    scales: Float32Array.from(rounded, ({ scale }) => scale),
    bias: Int32Array.from(rounded, (own) => own.bias),
    raisedChannels: rounded.filter(({ raised }) => raised).length,
    largestError: peak === 0 ? 0 : largest / peak,
  };
}
