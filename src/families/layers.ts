/** What a layer is, as the papers name it. */
export type LayerKind =
  | 'conv'
  | 'depthwise'
  | 'pointwise'
  | 'average-pool'
  | 'squeeze'
  | 'classifier'
  | 'boxes'
  | 'scores';

/** Height, width and channels. */
export type MapShape = readonly [height: number, width: number, channels: number];

export interface Layer {
  /** The name TensorFlow's reference implementation gives it, where it gives one. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Side of the square kernel. */
  readonly kernel: number;
  readonly stride: number;
  readonly input: MapShape;
  readonly output: MapShape;
  /** Weights, plus scale and shift of the batch norm (or the bias). */
  readonly parameters: number;
  /** Multiply-adds of one inference. */
  readonly multAdds: number;
}

export interface ArchitectureTotals {
  readonly parameters: number;
  readonly multAdds: number;
  /** The same network with a full convolution for every depthwise-separable pair. */
  readonly standardParameters: number;
  readonly standardMultAdds: number;
}

const DEPTHWISE: readonly LayerKind[] = ['depthwise'];

/** A convolution with batch norm and padding SAME. */
export function convolution(
  name: string,
  kind: LayerKind,
  kernel: number,
  stride: number,
  input: MapShape,
  channels: number,
): Layer {
  const [height, width, inChannels] = input;
  const output = [Math.ceil(height / stride), Math.ceil(width / stride), channels] as const;
  // Weights behind one output value.
  const perOutput = kernel * kernel * (DEPTHWISE.includes(kind) ? 1 : inChannels);
  return {
    name,
    kind,
    kernel,
    stride,
    input,
    output,
    parameters: perOutput * channels + 2 * channels,
    multAdds: output[0] * output[1] * channels * perOutput,
  };
}

/** A convolution with a bias and no batch norm: the last layer, and what reads boxes and scores. */
export function biasedConvolution(
  name: string,
  kind: LayerKind,
  kernel: number,
  input: MapShape,
  channels: number,
): Layer {
  const layer = convolution(name, kind, kernel, 1, input, channels);
  return { ...layer, parameters: layer.parameters - channels };
}

/** The average over a whole map; it counts no multiply-adds, as in the papers. */
export function averagePool(name: string, input: MapShape): Layer {
  const [height, , channels] = input;
  const output = [1, 1, channels] as const;
  const counts = { parameters: 0, multAdds: 0 };
  return { name, kind: 'average-pool', kernel: height, stride: 1, input, output, ...counts };
}

function sum(layers: readonly Layer[], count: (layer: Layer) => number): number {
  return layers.reduce((total, layer) => total + count(layer), 0);
}

/** Totals of a network, and what it would cost with full convolutions. */
export function totalsOf(layers: readonly Layer[]): ArchitectureTotals {
  return {
    parameters: sum(layers, ({ parameters }) => parameters),
    multAdds: sum(layers, ({ multAdds }) => multAdds),
    ...standardTotals(layers),
  };
}

/** What a depthwise and a pointwise layer cost as one full convolution; the rest is unchanged. */
function standardTotals(layers: readonly Layer[]) {
  let standardParameters = 0;
  let standardMultAdds = 0;
  let depthwise: Layer | null = null;
  for (const layer of layers) {
    if (layer.kind === 'depthwise') {
      depthwise = layer;
      continue;
    }
    const full: Layer =
      layer.kind === 'pointwise' && depthwise !== null
        ? convolution(
            layer.name,
            'conv',
            depthwise.kernel,
            depthwise.stride,
            depthwise.input,
            layer.output[2],
          )
        : layer;
    depthwise = null;
    standardParameters += full.parameters;
    standardMultAdds += full.multAdds;
  }
  return { standardParameters, standardMultAdds };
}
