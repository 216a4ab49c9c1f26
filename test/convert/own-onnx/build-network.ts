import { createRandom } from '../random.js';
import { OnnxGraph } from './build-detectors.js';

export type Act = 'silu' | 'leaky' | 'hardswish' | 'relu' | 'relu6' | 'none';

/** A map of the network under construction. */
export interface FeatureMap {
  readonly name: string;
  readonly channels: number;
}

export const int = (name: string, i: number) => ({ name, type: 2, i });
const ints = (name: string, values: readonly number[]) => ({ name, type: 7, ints: [...values] });
const float = (name: string, f: number) => ({ name, type: 1, f });

/** Layers as the exporters write them; weights keep what they read about as large as it was. */
export class Layers {
  readonly graph: OnnxGraph;
  readonly #random: (below: number) => number;
  readonly #opset: number;

  constructor(seed: number, opset: number) {
    this.graph = new OnnxGraph(seed);
    this.#random = createRandom(seed + 100);
    this.#opset = opset;
  }

  conv(
    { name, channels }: FeatureMap,
    out: number,
    { kernel = 1, stride = 1, groups = 1, act = 'none' as Act, shift = 0, gain = 1 } = {},
  ): FeatureMap {
    const perGroup = channels / groups;
    const count = out * perGroup * kernel * kernel;
    // The sum of three even ones is nearly normal; trained channels differ in size as these do.
    const one = () => (this.#random(2001) + this.#random(2001) + this.#random(2001)) / 1000 - 3;
    const sizes = Array.from({ length: out }, () => 0.5 + this.#random(1500) / 1000);
    const deviation = gain * Math.sqrt((act === 'none' ? 1 : 2) / (perGroup * kernel * kernel));
    const weights = Array.from({ length: count }, (_, at) => {
      return one() * deviation * (sizes[Math.floor((at * out) / count)] ?? 1);
    });
    const bias = Array.from({ length: out }, () => one() * 0.2 + shift);
    const half = Math.floor(kernel / 2);
    const attributes = [
      ints('kernel_shape', [kernel, kernel]),
      ints('strides', [stride, stride]),
      ints('pads', [half, half, half, half]),
      int('group', groups),
    ];
    const inputs = [
      name,
      this.graph.floats([out, perGroup, kernel, kernel], weights),
      this.graph.floats([out], bias),
    ];
    return { name: this.act(this.graph.add('Conv', inputs, attributes), act), channels: out };
  }

  act(name: string, act: Act): string {
    const { graph } = this;
    switch (act) {
      case 'silu':
        return graph.mul(name, graph.add('Sigmoid', [name]));
      case 'leaky':
        return graph.add('LeakyRelu', [name], [float('alpha', 0.1)]);
      case 'hardswish':
        return graph.mul(
          name,
          graph.add('HardSigmoid', [name], [float('alpha', 1 / 6), float('beta', 0.5)]),
        );
      case 'relu':
        return graph.add('Relu', [name]);
      case 'relu6':
        return this.#opset < 11
          ? graph.add('Clip', [name], [float('min', 0), float('max', 6)])
          : graph.add('Clip', [name, graph.floats([], [0]), graph.floats([], [6])]);
      case 'none':
        return name;
    }
  }

  join(maps: readonly FeatureMap[]): FeatureMap {
    const channels = maps.reduce((sum, map) => sum + map.channels, 0);
    const names = maps.map(({ name }) => name);
    return { name: this.graph.join(names, 1), channels };
  }

  part({ name }: FeatureMap, from: number, to: number): FeatureMap {
    const [starts, ends, axes] = [from, to, 1].map((end) => this.graph.wholes([end]));
    const inputs = [name, starts ?? '', ends ?? '', axes ?? ''];
    return { name: this.graph.add('Slice', inputs), channels: to - from };
  }

  plus(a: FeatureMap, b: FeatureMap): FeatureMap {
    return { ...a, name: this.graph.plus(a.name, b.name) };
  }

  larger(map: FeatureMap): FeatureMap {
    const scales = this.graph.floats([4], [1, 1, 2, 2]);
    const attributes = [{ name: 'mode', type: 3, s: Buffer.from('nearest') }];
    const region = this.graph.floats([0], []);
    const inputs = this.#opset < 11 ? [map.name, scales] : [map.name, region, scales];
    return { ...map, name: this.graph.add('Resize', inputs, attributes) };
  }

  pooled(map: FeatureMap): FeatureMap {
    const attributes = [
      ints('kernel_shape', [5, 5]),
      ints('strides', [1, 1]),
      ints('pads', [2, 2, 2, 2]),
    ];
    return { ...map, name: this.graph.add('MaxPool', [map.name], attributes) };
  }

  /** Channels of two halves in turn. */
  shuffled({ name, channels }: FeatureMap, side: number): FeatureMap {
    const { graph } = this;
    const split = graph.reshape(name, [1, 2, channels / 2, side, side]);
    const turned = graph.transpose(split, [0, 2, 1, 3, 4]);
    return { name: graph.reshape(turned, [1, channels, side, side]), channels };
  }

  /** Squeeze and excite. */
  gated(map: FeatureMap): FeatureMap {
    const { graph } = this;
    const mean = { ...map, name: graph.add('GlobalAveragePool', [map.name]) };
    const gate = this.conv(this.conv(mean, 8, { act: 'relu' }), map.channels);
    return { ...map, name: graph.mul(map.name, graph.add('HardSigmoid', [gate.name])) };
  }

  /** [1, cells, columns] of all maps. */
  rows(maps: readonly FeatureMap[]): string {
    const flat = maps.map(({ name, channels }) => {
      return this.graph.transpose(this.graph.reshape(name, [1, channels, -1]), [0, 2, 1]);
    });
    return this.graph.join(flat, 1);
  }
}
