import type { ConvOperator, ExplicitPadding } from './graph.js';

type Side = 'height' | 'width';

const INDEX = { height: 0, width: 1 } as const;

function edgesOf(padding: ExplicitPadding, side: Side): readonly [before: number, after: number] {
  return side === 'height' ? [padding.top, padding.bottom] : [padding.left, padding.right];
}

/**
 * Side of a convolution's output for an input side and a kernel side (pixels). TensorFlow's rules:
 * SAME gives ceil(input / stride), VALID ceil((input − (kernel − 1)·dilation) / stride). −1 in, −1 out.
 */
export function outputSide(
  operator: Pick<ConvOperator, 'padding' | 'stride' | 'dilation'>,
  side: Side,
  input: number,
  kernel: number,
): number {
  if (input < 0) return -1;
  const stride = operator.stride[INDEX[side]];
  if (operator.padding === 'same') return Math.ceil(input / stride);
  const extent = (kernel - 1) * operator.dilation[INDEX[side]] + 1;
  const [before, after] = operator.padding === 'valid' ? [0, 0] : edgesOf(operator.padding, side);
  return Math.floor((input + before + after - extent) / stride) + 1;
}

/** The zeros added before and after a side of known length. */
export function paddingOf(
  operator: Pick<ConvOperator, 'padding' | 'stride' | 'dilation'>,
  side: Side,
  input: number,
  kernel: number,
): readonly [before: number, after: number] {
  if (operator.padding === 'valid') return [0, 0];
  if (operator.padding !== 'same') return edgesOf(operator.padding, side);
  const stride = operator.stride[INDEX[side]];
  const extent = (kernel - 1) * operator.dilation[INDEX[side]] + 1;
  const total = Math.max((Math.ceil(input / stride) - 1) * stride + extent - input, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}
